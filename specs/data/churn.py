"""Made-up customers of a phone company, in the shape of the public churn data set: 21 columns, 5,000 rows.

usage: python3 churn.py [--seed N] [--rows N] > churn.csv

The data set of the articles is by the authors of "Discovering Knowledge in Data"; none of it is here. Who calls customer
service often, talks long by day or has an international plan tends to leave, as in the original, and about one in seven
does. The seed is printed, and the same seed gives the same file.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import sys

STATES = (
    "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR "
    "PA RI SC SD TN TX UT VA VT WA WI WV WY"
).split()
COLUMNS = (
    "state acc_length area_code phone int_plan vmail_plan vmail_msg day_mins day_calls day_charge eve_mins eve_calls "
    "eve_charge night_mins night_calls night_charge int_mins int_calls int_charge cust_service_calls churn"
).split()


def minutes(chance: random.Random, mean: float, spread: float) -> float:
    return round(max(0.0, chance.gauss(mean, spread)), 1)


def customer(chance: random.Random) -> list[object]:
    international = chance.random() < 0.1
    voice_mail = chance.random() < 0.27
    day, evening, night = (minutes(chance, mean, 50.0) for mean in (180.0, 200.0, 200.0))
    abroad = minutes(chance, 10.2, 2.8)
    calls = min(9, int(chance.expovariate(0.49)))
    # What the first tree of the second article splits on: service calls, then minutes by day and the plan.
    score = -2.95 + 2.6 * (calls >= 4) + 0.035 * max(0.0, day - 220.0) + 2.1 * international - 0.9 * voice_mail
    leaves = chance.random() < 1 / (1 + math.exp(-score))
    return [
        chance.choice(STATES),
        chance.randint(1, 243),
        chance.choice([408, 415, 415, 510]),
        f"{chance.randint(327, 422)}-{chance.randint(1000, 9999)}",
        "yes" if international else "no",
        "yes" if voice_mail else "no",
        chance.randint(4, 51) if voice_mail else 0,
        day,
        chance.randint(60, 150),
        round(day * 0.17, 2),
        evening,
        chance.randint(60, 150),
        round(evening * 0.085, 2),
        night,
        chance.randint(60, 150),
        round(night * 0.045, 2),
        abroad,
        chance.randint(1, 12),
        round(abroad * 0.27, 2),
        calls,
        "True." if leaves else "False.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rows", type=int, default=5000)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    print(f"{given.rows} customers of seed {given.seed}", file=sys.stderr)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(customer(chance) for _ in range(given.rows))


if __name__ == "__main__":
    main()
