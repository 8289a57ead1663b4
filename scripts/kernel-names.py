#!/usr/bin/env python3
"""kernel-names.py SOURCE…: the kernel's messages that begin with a name.

Prints, for the kernel sources in the given directories (Debian: the package linux-source-6.1 and its like,
unpacked), a table with a line a format: what the name is, the sub-system of storage code that prints it ("-": other code),
the level, the format, the file.
scripts/kernel-names.py SOURCE… > rules/src/names/formats.tsv brings the project's table in step.

No compiler is needed: comments are taken out, the macros that end in a printing function are expanded,
strings are joined. A function that prints its caller's format ("%pV") must stand in PRINTERS. A format that does
not end its line, so that more text may follow, ends in \\c here.

Left out are the heads that nobody chooses: names of functions and drivers, of the devices that drivers name, and what
dev_err() and its like print (the driver's name first). --all shows them.

One file of over 400 lines, so that it can be copied to a machine with the sources and run there.
"""

import argparse
import collections
import os
import pathlib
import re
import sys

LEVELS = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "error": 3, "warn": 4, "warning": 4, "notice": 5, "info": 6, "cont": 8}
KERN = {f"KERN_{name.upper()}": str(level) for name, level in LEVELS.items()} | {"KERN_DEFAULT": "4", "KERN_DEBUG": "7", "KERN_SOH": ""}

# Code that runs on no machine in use, or before there are users.
LEFT_OUT = {"tools", "Documentation", "samples", "scripts", "rust", "certs", "usr"}
LEFT_OUT_FILES = re.compile(r"(?:^|/)(?:tests?|selftests?|kunit|boot|early_printk)(?:/|\.c$)|[_-](?:test|kunit|selftest)s?\.c$")
OTHER_MACHINES = re.compile(r"arch/(?!x86/|arm64/|arm/|s390/|powerpc/|riscv/)")


class Printer(collections.namedtuple("Printer", "level head format")):
    """A function that prints: its level ("fmt": in the format; a number: of that argument when it is negative),
    the format's head ("pr": pr_fmt; "netdev": an interface), the argument with the format."""


def printers():
    table = {}
    for name, level in LEVELS.items():
        for suffix in ("", "_once", "_ratelimited"):
            table[f"pr_{name}{suffix}"] = Printer(level, "pr", 0)
            table[f"netdev_{name}{suffix}"] = Printer(level, "netdev", 1)
        table[f"net_{name}_ratelimited"] = Printer(level, "pr", 0)
        table[f"netif_{name}"] = Printer(level, "netdev", 3)
    for name in ("printk", "_printk", "printk_once", "printk_ratelimited", "printk_deferred", "printk_deferred_once"):
        table[name] = Printer("fmt", "", 0)
    table |= {
        "netdev_printk": Printer(4, "netdev", 2),
        "netif_printk": Printer(4, "netdev", 4),
        "netdev_WARN": Printer(4, "netdev", 1),
        "netdev_WARN_ONCE": Printer(4, "netdev", 1),
        "WARN": Printer(4, "", 1),
        "WARN_ONCE": Printer(4, "", 1),
        # mm/page_alloc.c: the name of the process stands before the text.
        "warn_alloc": Printer(4, "comm", 2),
        # net/netfilter/nf_log_syslog.c: collects a line.
        "nf_log_buf_add": Printer("fmt", "", 1),
    }
    return table


PRINTERS = printers()
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^()\n]*\))?((?:\\\n|[^\n])*)", re.M)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
DEAD = re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b.*?^[ \t]*#[ \t]*(?:else|endif)\b", re.M | re.S)
# Printed only when root switches debugging on.
DEBUG = re.compile(r"dbg|debug|trace", re.I)
NESTING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[()\[\]{},]')
PIECE = re.compile(r'\s*(?:("(?:\\.|[^"\\])*")|([A-Za-z_]\w*)|(.))', re.S)
SPEC = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|L|z|t|j)?([a-zA-Z%])(?:(?<=p)[A-Za-z0-9]*)?")
FUNCTION = re.compile(r"^[A-Za-z_][\w \t*]*?\b(\w+)[ \t]*\(", re.M)
WORD = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|#?\s*\b[A-Za-z_]\w*')
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a"}


class Unknown(Exception):
    """An expression that is no string that can be read here."""


def arguments(text, opening):
    """The arguments of the call whose parenthesis opens at `opening`, and where it ends."""
    found, depth, start = [], 0, opening + 1
    for token in NESTING.finditer(text, opening, opening + 6000):
        sign = token.group()
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth == 0:
                return found + [text[start:token.start()].strip()], token.end()
        elif sign == "," and depth == 1:
            found.append(text[start:token.start()].strip())
            start = token.end()
    return None, None


def unescape(text):
    def one(found):
        code = found.group(1)
        if code[0] == "x":
            return chr(int(code[1:], 16))
        return chr(int(code, 8)) if code.isdigit() else ESCAPES.get(code, code)

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", one, text)


class Source:
    """The sources of one kernel."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.texts, self.includes = {}, {}
        self.texts_of_names = collections.defaultdict(list)
        self.macros = collections.defaultdict(list)
        for path in self.files():
            self.load(path)
        self.known = self.printing_macros()
        self.errors_of = {}

    def files(self):
        for directory, directories, names in os.walk(self.root):
            place = os.path.relpath(directory, self.root)
            if place == ".":
                directories[:] = [name for name in directories if name not in LEFT_OUT]
            directories.sort()
            for name in sorted(names):
                path = os.path.normpath(os.path.join(place, name))
                if name.endswith((".c", ".h")) and not LEFT_OUT_FILES.search(path) and not OTHER_MACHINES.match(path):
                    yield path

    def load(self, path):
        text = (self.root / path).read_text(encoding="utf-8", errors="replace")
        text = TOKEN.sub(lambda t: t.group() if t.group()[0] in "\"'" else " ", text)
        text = DEAD.sub("", text)
        for name, parameters, body in DEFINE.findall(text):
            body = body.replace("\\\n", " ").strip()
            if parameters:
                self.macros[name].append((path, [p.strip() for p in parameters[1:-1].split(",")], body))
            elif '"' in body or body in KERN or re.fullmatch(r"[A-Z_]+", body):
                self.texts_of_names[name].append((path, body))
        self.includes[path] = re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.M)
        self.texts[path] = DIRECTIVE.sub("", text)

    def printing_macros(self):
        """The macros that print, over any number of others."""
        calls = {name: {c for _, _, body in all for c in CALL.findall(body)} for name, all in self.macros.items()}
        known = set(PRINTERS)
        more = True
        while more:
            more = {name for name, called in calls.items() if name not in known and called & known and not DEBUG.search(name)}
            more -= {name for name in more if re.match(r"BUG|ASSERT|pr_fmt|panic", name)}
            known |= more
        return known

    def nearest(self, candidates, path):
        """The definition that a file most likely sees: its own, else that of the nearest header."""
        def distance(candidate):
            if candidate[0] == path:
                return -100
            common = len(os.path.commonprefix([candidate[0].split("/"), path.split("/")]))
            own_c = 50 if candidate[0].endswith(".c") else 0
            return own_c - 10 * common - (5 if candidate[0].startswith("include/") else 0)

        best = min(candidates, key=distance, default=None)
        if best is None or best[0] != path and best[0].endswith(".c"):
            return None
        shares = best[0].startswith("include/") or best[0].split("/")[:2] == path.split("/")[:2] or best[0] == path
        return best if shares else None

    def pr_fmt(self, path, depth=0):
        """The macro pr_fmt that a file sees."""
        own = [macro for macro in self.macros.get("pr_fmt", []) if macro[0] == path]
        if own or depth > 2:
            return own[-1] if own else None
        for name in self.includes.get(path, []):
            header = os.path.normpath(os.path.join(os.path.dirname(path), name))
            found = self.pr_fmt(header, depth + 1) if header in self.texts else None
            if found:
                return found
        return None

    def string(self, expression, path, depth=0):
        """The text of a string expression, with the arguments that macros in it add."""
        if depth > 8:
            raise Unknown(expression)
        expression = expression.strip()
        if expression.startswith("("):
            inner, end = arguments(expression, 0)
            if inner and end == len(expression):
                return self.string(",".join(inner), path, depth + 1)
        out, added, at = "", [], 0
        while at < len(expression):
            piece = PIECE.match(expression, at)
            if not piece:
                break
            at = piece.end()
            literal, name, other = piece.groups()
            if literal:
                out += unescape(literal[1:-1])
            elif name in KERN:
                out += "\x01" + KERN[name]
            elif name == "KBUILD_MODNAME":
                out += pathlib.PurePath(path).stem
            elif name and (call := re.match(r"\s*\(", expression[at:])):
                values, end = arguments(expression, at + call.end() - 1)
                if values is None:
                    raise Unknown(expression)
                if name in ("__stringify", "stringify"):
                    out, at = out + values[0], end
                    continue
                macro = self.nearest(self.macros.get(name, []), path)
                if not macro:
                    raise Unknown(expression)
                inner, _ = arguments("(" + substitute(macro, values) + ")", 0)
                text, more = self.string(inner[0], path, depth + 1)
                out, added, at = out + text, added + more + inner[1:], end
            elif name:
                definition = self.nearest(self.texts_of_names.get(name, []), path)
                if not definition:
                    raise Unknown(expression)
                text, more = self.string(definition[1], path, depth + 1)
                out, added = out + text, added + more
            elif other and not other.isspace():
                raise Unknown(expression)
        return out, added

    def printed(self, name, values, path, depth=0):
        """The formats that a call prints: level, head, format, its arguments."""
        if depth > 8:
            return
        if name in PRINTERS:
            yield from self.printed_by(PRINTERS[name], values, path)
            return
        macros = [macro for macro in self.macros.get(name, []) if set(CALL.findall(macro[2])) & self.known]
        macro = self.nearest(macros, path)
        if not macro:
            return
        body = substitute(macro, values)
        for call in CALL.finditer(body):
            if call.group(1) in self.known and call.group(1) != name and not DEBUG.search(call.group(1)):
                inner, _ = arguments(body, call.end() - 1)
                if inner:
                    yield from self.printed(call.group(1), inner, path, depth + 1)

    def printed_by(self, printer, values, path):
        if printer.format >= len(values):
            return
        try:
            text, added = self.string(values[printer.format], path)
        except Unknown:
            return
        rest = added + values[printer.format + 1:]
        level = printer.level
        if printer.head == "pr" and (macro := self.pr_fmt(path)):
            inner, _ = arguments("(" + substitute(macro, ['""']) + ")", 0)
            try:
                head, more = self.string(inner[0], path)
            except Unknown:
                return
            text, rest = head + text, more + inner[1:] + rest
        found = re.match(r"\x01([0-9c]?)", text)
        if found:
            text = text[found.end():]
            level = int(found.group(1)) if found.group(1).isdigit() else level
        # printk("%s…", level, …) and printk(KERN_SOH "%c…", …)
        while (lead := re.match(r"%s|%c", text)) and rest and (lead.group() == "%c" or is_level(rest[0])):
            text, rest = text[2:], rest[1:]
        yield 4 if level == "fmt" else level, printer.head, text.replace("\x01", ""), rest

    def formats(self):
        """All formats: path, place of the call, level, head, format, arguments."""
        for path, text in self.texts.items():
            for call in CALL.finditer(text):
                name = call.group(1)
                if name not in self.known or DEBUG.search(name):
                    continue
                values, end = arguments(text, call.end() - 1)
                # A definition, no call.
                if values is None or text[end:end + 2].lstrip()[:1] == "{":
                    continue
                for level, head, fmt, rest in self.printed(name, values, path):
                    yield path, call.start(), level, head, fmt, rest

    def errors(self, path):
        """What the code of a file's directory may say of a wrong request (include/linux/netlink.h, NL_SET_ERR_MSG)."""
        directory = os.path.dirname(path)
        if directory not in self.errors_of:
            texts = [text for name, text in self.texts.items() if os.path.dirname(name) == directory]
            found = {(mod, unescape(text)) for each in texts for mod, text in ERROR.findall(each)}
            module = pathlib.PurePath(directory).name + ": "
            self.errors_of[directory] = sorted((module if mod else "") + text for mod, text in found)
        return self.errors_of[directory]

    def function_at(self, path, place):
        """The name of the function that a place is in."""
        names = FUNCTION.findall(self.texts[path], max(0, place - 20000), place)
        return names[-1] if names else ""


def is_level(expression):
    return bool(re.fullmatch(r"KERN_\w+|\w*(?:lvl|level|loglvl)\w*|.*\?\s*KERN_\w+\s*:\s*KERN_\w+", expression.strip()))


def substitute(macro, values):
    """The body of a macro with its arguments put in."""
    _, parameters, body = macro
    table = dict(zip(parameters, values))
    if parameters and parameters[-1].endswith("..."):
        name = parameters[-1][:-3].strip() or "__VA_ARGS__"
        rest = ", ".join(values[len(parameters) - 1:])
        table[name] = rest
        if not rest:
            body = re.sub(r",\s*(?:##)?\s*" + name + r"\b", "", body)
            body = re.sub(r"__VA_OPT__\s*\([^()]*\)", "", body)

    def one(found):
        word = found.group()
        if word.startswith("#"):
            value = table.get(word[1:].strip())
            return word if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return table.get(word.strip(), word) if word[0] not in "\"'" else word

    return re.sub(r"\s*##\s*", "", WORD.sub(one, re.sub(r"##\s*(?=\w)", "", body)))


# Whose name the kernel prints, by the expression; the first that fits.
KINDS = [
    # Texts of the code itself.
    ("fixed", re.compile(r"__func__|__FUNCTION__|^\"|^[A-Z][A-Z0-9_]+$|KBUILD_MODNAME|driver\b.*name|drv_name|__FILE__|\?\s*\"")),
    # A process: prctl(2), 15 bytes.
    ("comm", re.compile(r"\bt?comm\b|get_task_comm")),
    # A wireless adapter, in its own network namespace.
    ("wiphy", re.compile(r"wiphy_name")),
    # A USB device says how it is called.
    ("product", re.compile(r"^(?:hid|hw)->name$|hid_name|->product\b")),
    # A rule of the firewall.
    ("prefix", re.compile(r"^prefix$|->prefix$")),
]
INTERFACE = re.compile(r"\bname\b|->name|ifname|netdev_name|dev_name|devname|iface|\bifn\b|slave|label")
NETWORK = re.compile(r"^(?:net(?!/sunrpc)|drivers/net|drivers/infiniband|drivers/s390/net|drivers/staging/(?:rtl|octeon|ks|wlan|qlge))")
# Where a kind of name is looked for, if not everywhere.
PLACES = {"prefix": re.compile(r"^net/(?:bridge/)?netfilter/"), "product": re.compile(r"^(?:drivers/(?:hid|usb)|sound/usb)/")}
EVERYWHERE = re.compile("")
# Their interfaces have a bus device: such a line begins with the driver (net/core/dev.c, __netdev_printk).
WITH_PARENT = re.compile(
    r"^drivers/net/(?:can/(?!dev|slcan|can327|vcan|vxcan)|vmxnet3|thunderbolt|virtio_net|ntb|mhi|mctp|caif|ethernet|wireless|usb|phy|dsa|fddi|wan|wwan|hyperv|ieee802154|mdio|pcs|ipa|xen-)"
    r"|^drivers/(?:infiniband|staging|s390|media|firmware|bus|message|scsi|target)/"
)


def head_of(path, head, fmt, rest):
    """What the line begins with: the kind of name, the format from there on, its arguments, the expression; None: no name."""
    if head == "netdev":
        return None if WITH_PARENT.match(path) else ("interface", "%s: " + fmt, ["", *rest], "")
    if head == "comm":
        return "comm", "%s: " + fmt, ["", *rest], ""
    start = re.match(r"[^A-Za-z0-9%]{0,3}", fmt).end()
    spec = SPEC.match(fmt, start)
    if not spec or spec.group(1) != "s":
        return None
    number = spec.group().count("*")
    expression = rest[number].replace("\n", " ") if number < len(rest) else ""
    for kind, pattern in KINDS:
        if pattern.search(expression) and PLACES.get(kind, EVERYWHERE).match(path):
            return kind, fmt, rest, expression
    if NETWORK.match(path) and INTERFACE.search(expression):
        return "interface", fmt, rest, expression
    return "other", fmt, rest, expression


# Storage code that prints such names, and the sub-system of its events: no other rule may take its lines.
OWNERS = [(re.compile(r"^block/(?!bsg)"), "block"), (re.compile(r"^fs/ocfs2/"), "ocfs2")]


def owner(path):
    """The sub-system of what a file prints; "-": none."""
    return next((name for pattern, name in OWNERS if pattern.match(path)), "-")


# Adapters of old: their names are chosen by whom the machine's owner gives them to. With hardly any text of their own, lines
# of their drivers are left out: see SECURITY.md.
ADAPTERS = re.compile(r"^drivers/(?:infiniband|net/(?:ethernet|arcnet|fddi|hippi|wan|hamradio|plip|sb1000|wireless|can|dsa))")


def tells_nothing(fmt):
    """There are fewer than six letters and digits behind the name."""
    behind = fmt[SPEC.search(fmt).end():]
    return len(re.findall(r"[A-Za-z0-9]", SPEC.sub("", behind))) < 6


LITERAL = r'"((?:\\.|[^"\\])*)"'
CHOICE = re.compile(r"[^?]*\?\s*" + LITERAL + r"\s*:\s*" + LITERAL)


ERROR = re.compile(r"\bNL_SET_ERR_MSG(_MOD)?\s*\(\s*[^,()]*,\s*" + LITERAL)


def filled(fmt, rest, function, errors):
    """The formats with the texts of the code put in for "%s": constants, the function's name, either of two constants,
    what is wrong with a request."""
    specs = [spec for spec in SPEC.finditer(fmt) if spec.group(1) != "%"]
    arguments_of = iter(rest)
    # The name at the beginning stays.
    kept = True
    variants, at = [""], 0
    for spec in specs:
        for _ in range(spec.group().count("*")):
            next(arguments_of, "")
        expression = next(arguments_of, "").strip()
        texts = [spec.group()]
        if spec.group(1) == "s" and not kept:
            if expression in ("__func__", "__FUNCTION__"):
                texts = [function() or spec.group()]
            elif literal := re.fullmatch(LITERAL, expression):
                texts = [unescape(literal.group(1)).replace("%", "%%")]
            elif re.search(r"\bextack(?:\.|->)_msg$", expression):
                texts = errors() or texts
            elif choice := CHOICE.fullmatch(expression):
                texts = [unescape(text).replace("%", "%%") for text in choice.groups()]
        if len(variants) > 8:
            texts = [spec.group()]
        variants = [variant + fmt[at:spec.start()] + text for variant in variants for text in texts]
        at, kept = spec.end(), False
    return [variant + fmt[at:] for variant in variants]


def names(source):
    """The formats of a kernel that begin with a name: its kind and expression, format, level, file."""
    for path, place, level, head, fmt, rest in source.formats():
        name = head_of(path, head, fmt, rest)
        # A function that prints what its callers say: they stand for themselves.
        if not name or level >= 8 or name[0] == "interface" and "%pV" in fmt:
            continue
        kind, fmt, rest, expression = name
        function, errors = lambda: source.function_at(path, place), lambda: source.errors(path)  # noqa: B023
        for text in filled(fmt, rest, function, errors):
            if not (ADAPTERS.match(path) and tells_nothing(text)):
                yield kind, expression, text, level, path


def escaped(fmt):
    return fmt.strip("\n").encode("unicode_escape").decode() + ("" if fmt.endswith("\n") else "\\c")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="a kernel's source directory")
    parser.add_argument("--all", action="store_true", help="also names that nobody chooses, with the printed expression")
    options = parser.parse_args()
    found = {}
    for root in options.sources:
        for kind, expression, text, level, path in names(Source(root)):
            if options.all or kind not in ("fixed", "other"):
                found.setdefault((kind, escaped(text), expression if options.all else ""), (level, path))
    for (kind, fmt, expression), (level, path) in sorted(found.items()):
        print(kind, owner(path), level, fmt, path, *([expression] if options.all else []), sep="\t")
    print(f"{len(found)} formats", file=sys.stderr)


if __name__ == "__main__":
    main()
