"""Who may call, from where, and which files they may name: token, one-time codes, tickets, hosts, origins, roots."""
