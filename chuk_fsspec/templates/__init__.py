"""Trees of files from templates: dicts, files in YAML, JSON or TOML, and directories of files with variables."""

from chuk_fsspec.templates.applying import Report, apply, preview
from chuk_fsspec.templates.loader import TemplateLoader
from chuk_fsspec.templates.making import make_template
from chuk_fsspec.templates.parsing import parse
from chuk_fsspec.templates.planned import Plan
from chuk_fsspec.templates.planning import missing_values, plan
from chuk_fsspec.templates.reading import list_templates, read_template
from chuk_fsspec.templates.sources import open_source
from chuk_fsspec.templates.template import Limits, Template, Variable

__all__ = [
    "Limits",
    "Plan",
    "Report",
    "Template",
    "TemplateLoader",
    "Variable",
    "apply",
    "list_templates",
    "make_template",
    "missing_values",
    "open_source",
    "parse",
    "plan",
    "preview",
    "read_template",
]
