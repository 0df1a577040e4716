"""The language model, as fast as the machine allows: one interface (`core`), several ways to run it."""
