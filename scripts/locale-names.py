#!/usr/bin/env python3
"""locale-names.py [DIRECTORY]: the names of months and weekdays in glibc's locales.

Prints a table with a line a name: the name, the months that it means, the weekdays that it means (1 is Monday), and the locales
that use it, at most three of them. dmesg, journalctl and date print these names when LC_TIME is set. DIRECTORY holds the sources of
the locales: /usr/share/i18n/locales of Debian's package locales, which is the default, or localedata/locales of glibc.
scripts/locale-names.py > src/offline/text/names.tsv brings the project's table in step.

Names are in lower case, without the dot at their end. A name that means two months in different languages stands in one line with both:
`lip` is June in Croatian and July in Polish. The month that more locales mean comes first.
"""

import collections
import pathlib
import re
import sys

MONTHS = ("abmon", "mon", "alt_mon", "ab_alt_mon")
DAYS = ("abday", "day")
SHOWN = 3


def sections(text):
    """The keywords of LC_TIME and their strings."""
    found = re.search(r"^LC_TIME\s*$(.*?)^END LC_TIME", text, re.M | re.S)
    body = found.group(1) if found else ""
    body = re.sub(r"^%.*$", "", body, flags=re.M)
    body = re.sub(r"/\s*\n\s*", "", body)
    for line in body.splitlines():
        keyword, _, rest = line.strip().partition(" ") if " " in line.strip() else line.strip().partition("\t")
        yield keyword.split("\t")[0], [decoded(word) for word in re.findall(r'"([^"]*)"', line)]


def decoded(word):
    return re.sub(r"<U([0-9A-Fa-f]+)>", lambda found: chr(int(found.group(1), 16)), word)


def plain(word):
    """A name as the table has it."""
    word = " ".join(word.replace("\u202b", "").replace("\u200f", "").replace("\u00a0", " ").split())
    return word.lower().rstrip(".,").strip()


def first_day(text):
    """The weekday with which a locale's lists begin: `week` names a day of that kind, 1997-11-30 (a Sunday) or the day after it."""
    return 1 if re.search(r"^week\s+\S*19971201", text, re.M) else 7


def names(directory):
    """For each name: month or weekday, its number, the locale."""
    for path in sorted(pathlib.Path(directory).iterdir()):
        if path.name.startswith("translit") or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for keyword, words in sections(text):
            if keyword in MONTHS and len(words) == 12:
                for number, word in enumerate(words, 1):
                    yield plain(word), "month", number, path.name
            if keyword in DAYS and len(words) == 7:
                for number, word in enumerate(words, first_day(text)):
                    yield plain(word), "day", (number - 1) % 7 + 1, path.name


def table(directory):
    meanings = collections.defaultdict(lambda: {"month": collections.Counter(), "day": collections.Counter(), "by": []})
    for word, kind, number, locale in names(directory):
        if not word or word.isdigit() or "\t" in word:
            continue
        meaning = meanings[word]
        meaning[kind][number] += 1
        if locale not in meaning["by"]:
            meaning["by"].append(locale)
    for word, meaning in sorted(meanings.items()):
        numbers = [",".join(str(number) for number, _ in sorted(meaning[kind].items(), key=lambda one: (-one[1], one[0]))) for kind in ("month", "day")]
        yield "\t".join([word, *(one or "-" for one in numbers), " ".join(meaning["by"][:SHOWN])])


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/i18n/locales"
    if not pathlib.Path(directory).is_dir():
        sys.exit(f"locale-names.py: {directory}: no such directory; install the package locales, or name glibc's localedata/locales")
    print("# Made by scripts/locale-names.py: name, months, weekdays from Monday, locales.")
    for line in table(directory):
        print(line)


if __name__ == "__main__":
    main()
