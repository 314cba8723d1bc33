"""The project's own text files, and C++ without its comments and texts."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Order matters: what starts first wins, so that "//" within a text is no comment.
NOISE = re.compile(
    r'R"(?P<delimiter>[^()\\\s]{0,16})\((?s:.*?)\)(?P=delimiter)"'  # raw text
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\''
    r"|//[^\n]*|/\*(?s:.*?)\*/")


def tracked(*suffixes):
    """Paths below ROOT that git knows or would add, with one of the suffixes."""
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in sorted(set(listing.split("\0"))) if name)
    return [path for path in paths if path.is_file() and path.name.endswith(suffixes)]


def without_noise(text):
    """The same lines, with comments, texts and preprocessor directives blanked."""
    def blank(match):
        return '""' + "\n" * match[0].count("\n") if match[0][0] in "R\"'" else "\n" * match[0].count("\n")

    text = NOISE.sub(blank, text)
    text = re.sub(r"\\\n", "\\\\\v", text)  # a directive goes on after a backslash
    text = re.sub(r"^[ \t]*#[^\n]*", lambda match: "\n" * match[0].count("\v"), text, flags=re.MULTILINE)
    return text.replace("\\\v", "\n")
