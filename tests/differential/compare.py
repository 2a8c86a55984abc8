"""Compares our verdicts with the libraries': compare.py FOLDER README [LIBRARY].

Fails where a difference is in no row of the README's table. With a library's name it prints one
delivery of each of its differences that are not in it.
"""

import collections
import json
import pathlib
import re
import sys

WORDS = {True: "accepts", False: "refuses"}


def decided(readme):
    """Where the rows stand, by library (or `each`), what was bent, we, it."""
    rows = {}
    for number, line in enumerate(readme.read_text().splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[2] in WORDS.values():
            for library in cells[0].split(", "):
                for way in cells[1].split("; "):
                    rows[(library, way, cells[2], cells[3])] = number
    return rows


def main():
    folder, readme = map(pathlib.Path, sys.argv[1:3])
    shown = sys.argv[3] if len(sys.argv) > 3 else None
    rows = decided(readme)
    seen = set()
    undecided = collections.defaultdict(list)
    heads = ["both accept", "both refuse", "only it", "only we"]
    print(f"{'accepted by':24}" + "".join(f"{head:>12}" for head in heads))
    for path in sorted(folder.glob("*.verdicts")):
        scheme, library, _ = path.name.split(".")
        deliveries = (folder / f"{scheme}.jsonl").read_text().splitlines()
        verdicts = path.read_text().splitlines()
        if len(deliveries) != len(verdicts):
            sys.exit(f"{library}: {len(verdicts)} verdicts on {len(deliveries)} deliveries")
        counts = collections.Counter()
        for line, theirs in zip(deliveries, verdicts):
            delivery = json.loads(line)
            sides = [WORDS[delivery["ours"] == "accepted"], WORDS[theirs == "accepted"]]
            counts[tuple(sides)] += 1
            if sides[0] == sides[1]:
                continue
            ways = delivery["ways"]
            keys = [(whose, way, *sides) for way in ways for whose in (library, "each")]
            known = [key for key in keys if key in rows]
            seen.update(key[1:] for key in known)
            if not known:
                words = " + ".join(sorted(delivery["ways"]))
                kind = (library, words, *sides, delivery["ours"], theirs)
                undecided[kind].append(delivery)
        pairs = [(we, it) for it, we in [(True, True), (False, False), (True, False), (False, True)]]
        numbers = [counts[WORDS[we], WORDS[it]] for we, it in pairs]
        print(f"{library:24}" + "".join(f"{number:12}" for number in numbers))
    for (library, words, we, it, ours, theirs), found in sorted(undecided.items()):
        print(f"undecided: | {library} | {words} | {we} | {it} | ({ours}, {theirs}) × {len(found)}")
        if library == shown:
            print(json.dumps(found[0])[:2000])
    for key in sorted({key[1:] for key in rows} - seen):
        print(f"no longer seen: | {' | '.join(key)} |")
    if undecided:
        sys.exit("each difference is either mended, or decided in tests/differential/README.md")


main()
