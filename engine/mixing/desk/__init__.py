"""The desk: strips, buses, sends and the sum, run in blocks over all stems at once."""
