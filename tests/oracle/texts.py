"""What of the app's texts may be shown: words that are known to be harmless, names, ids."""

import hashlib
import re
import unicodedata
import uuid

from tests.oracle import seeds

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
HEX_PAIRS = re.compile(r"([0-9a-f]{4}-?){7}[0-9a-f]{4}", re.IGNORECASE)
SEPARATORS = r"\s,;:=(){}\[\]|"
PUNCTUATION = "\x01" + "".join(
    chr(code)
    for code in [*range(0x21, 0x30), *range(0x3A, 0x41), *range(0x5B, 0x61), *range(0x7B, 0x7F)]
)
PUNCTUATION += "\xa1\xab\xb7\xbb\xbf" + "".join(
    map(chr, [*range(0x2010, 0x205F), *range(0x3001, 0x3004)])
)
UNITS = re.compile(
    r"[0-9]{1,4}(ms|s|m|h|d|min|sec|x|k|kb|mb|gb|kib|mib|gib|mp|px|p|fps|x[0-9]{2,4})",
    re.IGNORECASE,
)
TELLING = "errors?|reason|code|status|message|msg|type|cause|details?"
WHOLE = [
    (rf'"({TELLING})"(\s*:\s*)"([^"]*)"', "\x01\\1\x01\\2\x01\\3\x01"),
    (rf'"({TELLING})"(?=\s*:)', "\x01\\1\x01"),
    (r"[^\s\"'<>()]*://[^\s\"'<>()]*|\bdata:[^\s\"']+", "<url>"),
    (r"[^\s@<>\"']*@[^\s@<>\"']*", "<email>"),
    (
        r"\"[^\"]*(?:\"|$)|`[^`]*(?:`|$)|“[^”]*(?:”|$)|„[^“”]*(?:[“”]|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)"
        r"|(?<!\w)['\u2018][^'\u2019]*['\u2019](?!\w)",
        "<text>",
    ),
    (r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,}(?![\w:])", "<number>"),
    (r"[+(]*[0-9](?:[\s().,/:_-]*[0-9]){4,}", "<number>"),
]
LETTERS_OF_TWO = str.maketrans(
    {"ß": "ss", "Æ": "ae", "æ": "ae", "Ø": "o", "ø": "o", "Œ": "oe", "œ": "oe", "Ł": "l", "ł": "l"}
)

NAME_LIMIT = 40
MODEL_DAY = re.compile(
    r"202[0-9][._-]?[01][0-9][._-]?[0-3][0-9]|:(?:latest|free|beta|nitro|preview|turbo)$"
)
MONTHS = "(?:jan|f[eé][bv]|m[aä]r|a[bvp]r|ma[iyj]|ju[inl]|a[ouûg]|sep|set|o[ckt]t|nov|d[eié][cz])"
WEAK = "passw|letmein|hunter2|qwert[yz]|iloveyou"
HANDLES = "insta|instagram|tiktok|telegram|skype|whatsapp|snapchat|facebook|twitter|discord"
NO_NAME = [
    r"[0-9]{7}",  # a number of a person's
    r"(?:[0-9].*){12}",
    r"[0-9]+(?:[ ./:_-]+[0-9]+){3}",
    r"[0-9]{2,}(?:[ ./_-]+[0-9]{2,}){2}",
    r"[0-9]{3,}[ ./_-]+[0-9]{4}",
    r"(?=[a-z]{0,15}[0-9])[a-z0-9]{16}",  # a key
    r"[a-z]{31}",
    r"[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){2}",  # an address
    r"^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$",
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{9}",  # a sentence
    r": | -|::|//|^(?:[./~]|[a-z]:/|[ru]/|www\.|ya29)",
    r"\.(?:png|jpe?g|webp|gif|svg|heic|tiff?|bmp|pdf|mp[34]|mov|webm|wav|zip|json|csv|txt|html?"
    r"|php)$",
    r"(?:^|/)(?:users?|home|uploads?|storage|private|public|tmp|avatars?|inputs?|outputs?)/",
    r"\.(?:com|org|net|info|me|ch|at|ru|io|dev|app|co|cloud|de|fr|it|es|nl|pl|uk|eu|us|in|jp|cn|br|example|local"
    r"|internal|test)(?::[0-9]+)?(?:/|$)",
    r"^(?:sk|pk|rk|gh[a-z]|xox[a-z]|r8|akia|asia|aiza|eyj|pwd|password|passwort|secret)[ :_-]",
    r"^(?:tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|mastercard|prompt|user"
    r"|name)[ :]",
    r"(?:^|^.* )(?:pin|otp|mfa|cv[cv]|tan|code|zip|plz|nhs|pan|ssn|ahv|nif)[ .:#-]*[0-9]{3}",
    r"(?:^| )(?:apt|po box|postfach)[. ]+[0-9]",  # where somebody lives
    r"(?:^| )[0-9]{5}(?: |$)|^[a-z]{1,2}-[0-9]{4} [a-z]",
    r"^[0-9]+[a-z]? (?:.* )?(?:street|st|road|rd|avenue|ave|lane|ln|drive|court|square|boulevard"
    r"|blvd)(?: |$)",
    r"(?:stra(?:ss|ß)e|str|weg|allee|platz|gasse|straat|laan|gatan|vej|utca)\.? [0-9]",
    r"^(?:[0-9]+[a-z]? )?(?:rue|via|calle|rua|ul|ulica|улица|av|avenida|piazza|plaza)[. ].*[0-9]",
    r"^[0-9]+[a-z]? (?:rue|via|calle|rua|ul|ulica|av|avenida|piazza|plaza) ",
    r"(?:^| )[a-z]{1,2}[0-9][0-9a-z]? [0-9][a-z]{2}$|(?:^| )[a-z][0-9][a-z] [0-9][a-z][0-9]$",
    r"^[a-z]{1,3}[ -][a-z]{1,2} [0-9]{2,4}$",  # a car
    rf"[0-9][年月日号號番]|[0-9][. ]+{MONTHS}[^ ]* [0-9]{{2,4}}$",  # a day
    rf"^{MONTHS}[^ 0-9]* [0-9]{{1,2}} [0-9]{{2,4}}$",
    rf"^(?=.*[0-9]).*(?:{WEAK})|[a-z][013-9][a-z]+[013-9][a-z]",  # a password
    r"[a-z]{4}(?:19|20)[0-9]{2}$|[a-z]{3}(?:321|123[45]*)$|^(?:akia|asia)[a-z0-9]*[0-9]",
    r"^[^/ ]*:(?:[a-z][a-z0-9]{3,}|[0-9]{3,}|[a-z.]{3,})$",
    r"(?:[0-9]{1,2}[a-f]){3}",
    r"^(?=.*[0-9])(?:.*[^0-9a-z])?(?:0x[0-9a-f]{6}|[0-9a-f]{10})",
    r"^(?:hf|bearer|basic|token|key) .*[0-9][^ ]{4}",
    r"^(?:hf|bearer|basic|token|key|otp|pin|mfa|cv[cv])[:_-].*[0-9][^ ]{4}",
    r"^(?:patient|psk|wpa2?|ssid|cpf|bsn|pesel|aadhaar|dob|born|geb\.?) ",
    rf"^(?:{HANDLES}|ssid|psk|localhost):|^(?:insta|instagram|tiktok|telegram|snapchat|facebook|twitter)/",
    r"(?:^| )(?:mr|mrs|ms|sra?|sig|dr|prof)\. ",  # how somebody is addressed
    r"(?:^| )(?:mr|mrs|mister|dr|doctor|prof|herr|frau|mme|mlle|madame|signora?|señora?) ",
    r"^(?:a|an|the|my|your|his|her|our|their|mein|meine|ein|eine|mon|ma|une|una|minha|meu|uma"
    r"|mia|мо[йя]) ",
    r"\.(?:docx?|xlsx?|pptx?|odt|ods|psd|raw|cr2|nef|dng|arw|avi|mkv|m4[av]|flac|ogg|rar|7z|gz|tar"
    r"|sql|log|env|pem|p12|eml|vcf|ics|bak|avif|xml|ya?ml|rtf|heif|wmv|exe|db)$",
    r"\.(?:lan|corp|intranet|home|se|dk|fi|pt|cz|gr|tr|ua|kr|tw|sg|au|nz|ca|mx|biz|xyz|online"
    r"|shop)(?::[0-9]+)?(?:/|$)",
]
NO_ID = [
    r"^[0-9]{9,}$",
    r"^[0-9]+(?:[._|:-]+[0-9]+)+$",
    r"[0-9]{3}[._:-][0-9]{3}[._:-][0-9]{4}|(?:[0-9]{4}[._:-]){3}[0-9]{4}",
    r"^[a-z]{2}[0-9]{2}[a-z]{0,4}[0-9]{6,}[a-z0-9]*$",
    r"::|^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){2,}$|^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$",
    r"[.][a-z]{2,}[0-9]?(?::[0-9]+)?$|^www[.]|^localhost",
    r"^[a-z0-9_.-]*:[a-z.]{4,}[0-9]{0,4}$",
    rf"{WEAK}|[a-z][013-9][a-z]+[013-9][a-z]{{2,}}$",
    r"^eyj|^ya29|^ivborw|^0x[0-9a-f]{40}$|^bc1[a-z0-9]{20}",
    r"^[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]$",
    r"^(?:akia|asia)[a-z0-9]{12}|^aiza[a-z0-9_-]{20}",
    r"^(?:sk|pk|rk|gh[a-z]|github|glpat|xox[a-z]|hf|r8|whsec|sbp|nvapi|key|bearer|secret|password"
    r"|passwort)[:._-]",
    r"^(?:tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|prompt|name|pwd|ssid|psk)[:._-]",
    rf"^(?:{HANDLES})[:._-]",
]


def shown_name(value: str | None) -> str | None:
    """A name trimmed and in lower case, nothing as None, what is no name as `unknown`."""
    name = (value or "").strip(" ").lower()
    rest = re.sub("[A-Z]?(?:[a-z]*[aeiou][a-z]+|[a-z]+[aeiou])", "", value or "")
    is_scrambled = re.search(
        "[a-z][0-9]*[A-Z][A-Za-z0-9]*[a-z][0-9]*[A-Z]|[A-Z]{2}[a-uw-z][a-z]?[0-9]*[a-z]*[A-Z]", rest
    )
    return ("unknown" if is_scrambled or _is_no_name(name) else name) or None


def _is_no_name(name: str) -> bool:
    if re.fullmatch("[a-z_]{0,20}", name):
        return False
    if len(name) > NAME_LIMIT or name.count(" ") > 2:
        return True
    has_letter = any(map(_is_letter, name))
    if not has_letter and not re.fullmatch("[0-9]{1,3}", name):
        return True
    if name[0] == " " or not all(_is_letter(each) or each in "0123456789._/: -" for each in name):
        return True
    undated = MODEL_DAY.sub("", name)
    return any(re.search(pattern, undated) for pattern in NO_NAME)


def _is_letter(character: str) -> bool:
    return "a" <= character <= "z" or (
        character > "\x7f" and unicodedata.category(character)[0] in "LM"
    )


def shown_id(value: object) -> str | None:
    """An id trimmed, a UUID in its one spelling, nothing as None, what is no id as a hash."""
    if isinstance(value, int):
        return str(value)
    text = str(value or "").strip(" \t\n\r")
    bare = text[1:-1] if text[:1] == "{" and text[-1:] == "}" else text
    if HEX_PAIRS.fullmatch(bare):
        return str(uuid.UUID(bare.replace("-", "")))
    if not re.fullmatch(r"[A-Za-z0-9_|.:-]{0,64}", text) or any(
        re.search(pattern, text, re.IGNORECASE) for pattern in NO_ID
    ):
        return "id-" + hashlib.sha256(text.encode()).hexdigest()[:32]
    return text or None


def shown_message(message: str | None) -> str | None:
    """A message with the words that are known to be harmless, and placeholders for all others."""
    if message is None:
        return None
    text = message[:2000]
    for pattern, replacement in WHOLE:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE | re.DOTALL)
    words = re.findall(rf"([^{SEPARATORS}]+|^)([{SEPARATORS}]*)", text)
    kinds = _judge(words)
    if kinds.count("unknown") > 4 * sum(kind in ("term", "marker", "digits") for kind in kinds):
        return "<text>"
    shown, hides = [], False
    for (word, after), kind in zip(words, kinds, strict=True):
        if kind not in ("filler", "mark"):
            hides = kind == "unknown"
        if kind == "unknown" or (kind == "filler" and hides):
            word = "<text>"
        elif kind == "digits":
            word = "<number>"
        shown.append(word + after)
    text = re.sub(r"<text>([\s!-/:-;=?-@\[-`{-~]*<text>)+", "<text>", "".join(shown))
    return text.replace("\x01", '"')[:2000]


def _judge(words: list[tuple[str, str]]) -> list[str]:
    cores = [word.strip(PUNCTUATION) for word, _ in words]
    kinds = [_kind(core) for core in cores]
    judged = []
    for place, (core, kind) in enumerate(zip(cores, kinds, strict=True)):
        neighbours = cores[max(place - 1, 0) : place] + cores[place + 1 : place + 2]
        beside = (kinds[:place][-1:] or kinds[place + 1 :][:1] or ["unknown"])[0]
        if any(
            kind == "marker" and re.search("[:=]", after)
            for kind, (_, after) in zip(kinds[:place], words, strict=False)
        ):
            judged.append("unknown")
        elif not re.fullmatch("[0-9]{1,3}", core):
            judged.append(kind)
        elif beside == "unknown" or any(re.search("[0-9]", each) for each in neighbours):
            judged.append("digits")
        else:
            judged.append("term")
    return judged


def _kind(core: str) -> str:
    if not core:
        return "mark"
    if UNITS.fullmatch(core):
        return "term"
    plain = without_accents(core)
    kinds = seeds.message_words()
    kind = kinds.get(plain.lower())
    if kind and (kind != "lower" or plain == plain.lower()):
        return "term" if kind == "lower" else kind
    if not re.match(r"[A-Za-z]+([a-z][A-Z]|[_/'\u2019-])", plain):
        return "unknown"
    parts = re.sub("([a-z])([A-Z])", r"\1 \2", plain)
    parts = re.split("[ _/'\u2019-]", re.sub("([A-Z])([A-Z][a-z])", r"\1 \2", parts))
    known = [kinds.get(part.lower()) for part in parts]
    if len(parts) > 8 or not all(known):
        return "unknown"
    return "marker" if "marker" in known else "term"


def without_accents(text: str) -> str:
    """The same text with the letters that a seed may hold."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFD", text)
    return re.sub("[\u0300-\u036f]", "", text).translate(LETTERS_OF_TWO)
