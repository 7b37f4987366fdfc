"""Renders the templates of jinja2-cases.json anew with Jinja2, set up as transformers does, and writes the file.

python3 test/model/chat/jinja2-cases.py      (needs Jinja2; the file says which version wrote it)
"""

import datetime
import json
import pathlib

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

path = pathlib.Path(__file__).with_suffix(".json")
data = json.loads(path.read_text())
clock = datetime.datetime.fromisoformat(data["clock"])


class Generation(jinja2.ext.Extension):
    """{% generation %} marks the assistant's part; it changes no text."""

    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def refuse(message):
    raise jinja2.exceptions.TemplateError(message)


environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
)
environment.filters["tojson"] = to_json
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = clock.strftime

for case in data["cases"]:
    case.pop("text", None)
    case.pop("refused", None)
    try:
        case["text"] = environment.from_string(case["template"]).render(**data["variables"])
    except Exception as error:
        case["refused"] = type(error).__name__
data["about"] = f"Rendered by Jinja2 {jinja2.__version__} as transformers sets it up; see jinja2-cases.py."
path.write_text(json.dumps(data, indent=1) + "\n")
