#!/usr/bin/env python3
"""Print the protocols of Spark Connect and Delta Connect as .proto files, from the descriptors inside the installed
PySpark and delta-spark.

The descriptors are the published wire format: packages, messages, fields, numbers and types. Nothing
else is in them, so nothing else is printed. Needs both packages (the versions pinned below) and `protobuf`.

    print_protos.py            write spark_client/proto
    print_protos.py --check    exit 1, naming the files, when what is committed differs
"""

import argparse
import importlib
import importlib.metadata
import pathlib
import sys

from google.protobuf import descriptor_pb2

SPARK_MODULES = "base catalog commands common expressions ml ml_common pipelines relations types"
DELTA_MODULES = "base commands relations"
# What it is called, the distribution, its pinned version, and where it keeps its descriptors.
SOURCES = [
    ("PySpark", "pyspark-client", "4.2.0", "pyspark.sql.connect.proto", SPARK_MODULES.split()),
    ("delta-spark", "delta-spark", "4.4.0", "delta.connect.proto", DELTA_MODULES.split()),
]
ROOT = pathlib.Path(__file__).resolve().parent.parent / "spark_client" / "proto"

Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    Field.TYPE_DOUBLE: "double",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_INT64: "int64",
    Field.TYPE_UINT64: "uint64",
    Field.TYPE_INT32: "int32",
    Field.TYPE_FIXED64: "fixed64",
    Field.TYPE_FIXED32: "fixed32",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "string",
    Field.TYPE_BYTES: "bytes",
    Field.TYPE_UINT32: "uint32",
    Field.TYPE_SFIXED32: "sfixed32",
    Field.TYPE_SFIXED64: "sfixed64",
    Field.TYPE_SINT32: "sint32",
    Field.TYPE_SINT64: "sint64",
}


def type_name(field):
    return SCALARS.get(field.type) or field.type_name


def map_entry(message, field):
    """The nested entry message of a map field, or None."""
    if field.label != Field.LABEL_REPEATED or field.type != Field.TYPE_MESSAGE:
        return None
    name = field.type_name.rsplit(".", 1)[-1]
    return next((n for n in message.nested_type if n.name == name and n.options.map_entry), None)


def field_line(message, field):
    entry = map_entry(message, field)
    options = " [deprecated = true]" if field.options.deprecated else ""
    if entry is not None:
        kind = f"map<{type_name(entry.field[0])}, {type_name(entry.field[1])}>"
    elif field.label == Field.LABEL_REPEATED:
        kind = f"repeated {type_name(field)}"
        if field.options.HasField("packed"):
            options = f" [packed = {str(field.options.packed).lower()}]"
    elif field.proto3_optional:
        kind = f"optional {type_name(field)}"
    else:
        kind = type_name(field)
    return f"{kind} {field.name} = {field.number}{options};"


def print_enum(enum, indent, out):
    out.append(f"{indent}enum {enum.name} {{")
    if enum.options.allow_alias:
        out.append(f"{indent}  option allow_alias = true;")
    out.extend(f"{indent}  {value.name} = {value.number};" for value in enum.value)
    out.append(f"{indent}}}")


def print_message(message, indent, out):
    out.append(f"{indent}message {message.name} {{")
    inner = indent + "  "
    for nested in message.nested_type:
        if not nested.options.map_entry:
            print_message(nested, inner, out)
    for enum in message.enum_type:
        print_enum(enum, inner, out)
    opened = None
    for field in message.field:
        real_oneof = field.HasField("oneof_index") and not field.proto3_optional
        oneof = field.oneof_index if real_oneof else None
        if opened is not None and oneof != opened:
            out.append(f"{inner}}}")
        if oneof is not None and oneof != opened:
            out.append(f"{inner}oneof {message.oneof_decl[oneof].name} {{")
        opened = oneof
        out.append(f"{inner}{'  ' if oneof is not None else ''}{field_line(message, field)}")
    if opened is not None:
        out.append(f"{inner}}}")
    out.append(f"{indent}}}")


def print_service(service, out):
    out.append(f"service {service.name} {{")
    for method in service.method:
        asked = ("stream " if method.client_streaming else "") + method.input_type
        answered = ("stream " if method.server_streaming else "") + method.output_type
        out.append(f"  rpc {method.name}({asked}) returns ({answered});")
    out.append("}")


def print_file(file, source):
    out = [f"// Printed by scripts/print_protos.py from the descriptors of {source}. Do not edit."]
    out += [f'syntax = "{file.syntax}";', f"package {file.package};"]
    out += [f'import "{name}";' for name in file.dependency]
    for enum in file.enum_type:
        print_enum(enum, "", out)
    for message in file.message_type:
        print_message(message, "", out)
    for service in file.service:
        print_service(service, out)
    return "\n".join(out) + "\n"


def printed():
    for name, distribution, version, package, modules in SOURCES:
        installed = importlib.metadata.version(distribution)
        if installed != version:
            sys.exit(f"print_protos.py: {distribution} {version} is pinned, {installed} is installed")
        for module in modules:
            descriptor = importlib.import_module(f"{package}.{module}_pb2").DESCRIPTOR
            file = descriptor_pb2.FileDescriptorProto()
            descriptor.CopyToProto(file)
            yield ROOT / file.name, print_file(file, f"{name} {version}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="compare instead of writing")
    check = arguments.parse_args().check
    different = []
    for path, text in printed():
        if check:
            if not path.exists() or path.read_text() != text:
                different.append(str(path.relative_to(ROOT.parent.parent)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if different:
        sys.exit("print_protos.py: differs from the descriptors: " + ", ".join(different))


if __name__ == "__main__":
    main()
