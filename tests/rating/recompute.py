"""Random prices and quantities, rated by `domain` and once more here, with Python's decimals.

recompute.py COUNT SEED PROGRAM: PROGRAM is the example `rate_usage` of `domain`, which reads cases and
answers amounts, a line each. The rules are those of crates/domain/src/usage/README.md, written a second
time. The first difference ends it with the case that shows it.
"""

import json
import random
import subprocess
import sys
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

PLACES = {"eur": 2, "usd": 2, "jpy": 0, "kwd": 3, "tnd": 3, "ugx": 0, "chf": 2}


def main():
    count, seed, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    cases = [any_case(chance) for _ in range(count)]
    text = "".join(json.dumps(case) + "\n" for case in cases)
    ran = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    if len(answers) != count:
        sys.exit(f"{count} cases, and {len(answers)} answers")
    models = {}
    for case, answer in zip(cases, answers):
        expected = rated(case)
        if answer != expected:
            sys.exit(f"differs: {json.dumps(case)}\n  rated      {answer}\n  recomputed {expected}")
        model = case["price"]["model"]
        models[model] = models.get(model, 0) + 1
    lines = sum(len(answer["lines"]) for answer in answers)
    by_model = ", ".join(f"{model} {number}" for model, number in sorted(models.items()))
    print(f"{count} prices rated equally in {lines} lines, seed {seed}: {by_model}")


def any_case(chance):
    currency = chance.choice(sorted(PLACES))
    model = chance.choice(["per_unit", "graduated", "volume", "package", "percentage"])
    price = {"currency": currency, "model": model}
    if model in ("per_unit", "package"):
        price["unit"] = any_amount(chance)
    if model == "package":
        price["size"] = any_number(chance, 4, 3, least=Decimal("0.001"))
    if model in ("graduated", "volume"):
        price["tiers"] = any_tiers(chance)
    if model == "percentage":
        price["rate"] = any_number(chance, 2, 4)
        for name in ("fixed", "at_least", "at_most"):
            if chance.random() < 0.5:
                price[name] = any_amount(chance)
        sort_bounds(price, "at_least", "at_most")
    for name in ("allowance", "minimum", "cap"):
        if chance.random() < 0.3:
            price[name] = any_number(chance, 5, 3)
    sort_bounds(price, "minimum", "cap")
    quantity = any_number(chance, chance.choice([1, 3, 6, 9]), chance.choice([0, 0, 2, 12]))
    if "tiers" in price and chance.random() < 0.3:
        # Exactly at the end of a tier, where mistakes are.
        last = chance.choice(price["tiers"]).get("up_to")
        if last:
            allowance = Decimal(price.get("allowance", "0"))
            quantity = written(Decimal(last) + allowance)
    if chance.random() < 0.02:
        quantity = "-" + quantity
    return {"price": price, "quantity": quantity, "events": chance.randrange(0, 100000)}


def any_tiers(chance):
    ends = sorted({any_number(chance, 6, chance.choice([0, 0, 3]), least=Decimal("0.001"))
                   for _ in range(chance.randrange(0, 5))}, key=Decimal)
    tiers = []
    for end in ends + [None]:
        tier = {"unit": any_amount(chance)}
        if chance.random() < 0.4:
            tier["flat"] = any_amount(chance)
        if end is not None:
            tier["up_to"] = end
        tiers.append(tier)
    return tiers


def any_amount(chance):
    return any_number(chance, chance.choice([1, 1, 3]), chance.choice([0, 2, 3, 6, 12]))


def any_number(chance, whole, places, least=Decimal(0)):
    number = Decimal(chance.randrange(0, 10 ** (whole + places))).scaleb(-places)
    return written(max(number, least))


def written(number):
    return format(number, "f")


def sort_bounds(price, low, high):
    if low in price and high in price and Decimal(price[low]) > Decimal(price[high]):
        price[low], price[high] = price[high], price[low]


def rated(case):
    with localcontext() as context:
        context.prec = 200
        price = case["price"]
        number = lambda name: Decimal(price.get(name, "0"))
        quantity = Decimal(case["quantity"]) - number("allowance")
        exact = []
        if quantity > 0:
            exact = priced(price, quantity, case["events"], number)
        unit = Decimal(1).scaleb(-PLACES[price["currency"]])
        lines = [half_upwards(amount / unit) for amount in exact]
        for name, is_outside in (("minimum", lambda a, b: a < b), ("cap", lambda a, b: a > b)):
            if name in price:
                bound = half_upwards(number(name) / unit)
                if is_outside(sum(lines), bound):
                    lines.append(bound - sum(lines))
        return {"lines": lines, "total": sum(lines)}


def priced(price, quantity, events, number):
    model = price["model"]
    if model == "per_unit":
        return [quantity * number("unit")]
    if model == "package":
        packages = (quantity / number("size")).to_integral_value(rounding=ROUND_CEILING)
        return [packages * number("unit")]
    if model == "percentage":
        amount = quantity * number("rate") / 100 + events * number("fixed")
        if "at_least" in price:
            amount = max(amount, number("at_least"))
        if "at_most" in price:
            amount = min(amount, number("at_most"))
        return [amount]
    tiers = [(Decimal(tier["up_to"]) if "up_to" in tier else None,
              Decimal(tier["unit"]), Decimal(tier.get("flat", "0"))) for tier in price["tiers"]]
    if model == "volume":
        for end, unit, flat in tiers:
            if end is None or quantity <= end:
                return [quantity * unit + flat]
    amounts, below = [], Decimal(0)
    for end, unit, flat in tiers:
        if quantity > below:
            last = quantity if end is None else min(end, quantity)
            amounts.append((last - below) * unit + flat)
            below = last
    return amounts


def half_upwards(number):
    return int((number + Decimal("0.5")).to_integral_value(rounding=ROUND_FLOOR))


main()
