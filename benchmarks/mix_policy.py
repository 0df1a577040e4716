"""Train the mix policy on songs that it makes itself, and measure it on others, beside the rules and equal loudness.

    python benchmarks/mix_policy.py [--train 160] [--test 60] [--write]

Songs of training and test share no seed. `--write` puts the weights where the presets are. Takes about three seconds of
one core for each song.
"""

import argparse
import sys
import time

from engine.mixing.policy.network import policy_path
from engine.mixing.policy.training import make_example, measure_policies, train

TEST_SEED = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=int, default=160)
    parser.add_argument("--test", type=int, default=60)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    started = time.process_time()
    learning = [make_example(seed) for seed in range(arguments.train)]
    held_out = [make_example(TEST_SEED + seed) for seed in range(arguments.test)]
    policy = train(learning, f"ridge regression on {arguments.train} songs by benchmarks/mix_policy.py")
    print("| policy | mean error dB | within 3 dB |\n| --- | --- | --- |")
    for name, measured in measure_policies(held_out, policy).items():
        print(f"| {name} | {measured.mean_error_db:.2f} | {100 * measured.within_3_db:.0f} % |")
    if arguments.write:
        policy_path().write_text(policy.to_json(), encoding="utf-8", newline="\n")
        print(f"Weights in {policy_path()}.")
    print(f"{time.process_time() - started:.0f} s of CPU time.", file=sys.stderr)


if __name__ == "__main__":
    main()
