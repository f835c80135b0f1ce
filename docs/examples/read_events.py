"""Reads events that kcat brings from a topic, from the first to the last, and prints each as a line of JSON.

    kcat -b 127.0.0.1:9092 -t order.events -C -e -q -f '%p %o %K %S\n%k%s\n%h\n' | venv/bin/python docs/examples/read_events.py

Needs fastavro. Drop what you have seen: an order's events come as ce_sequence 0, 1, 2 …, some of them perhaps again.
"""

import io
import json
import sys
from pathlib import Path

import fastavro

SCHEMAS = Path(__file__).parents[2] / "schemas" / "events"


def schemas_by_fingerprint() -> dict:
    """Every released version: what was ever written can be read."""
    found = {}
    for path in SCHEMAS.glob("*.avsc"):
        text = json.loads(path.read_text("utf-8"))
        canonical = fastavro.schema.to_parsing_canonical_form(text)
        head = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
        found[head] = fastavro.parse_schema(text)
    return found


def main() -> None:
    schemas = schemas_by_fingerprint()
    records = sys.stdin.buffer
    while line := records.readline():
        partition, offset, key_size, value_size = map(int, line.split())
        key = records.read(key_size).decode()
        value = records.read(value_size)
        records.readline()
        headers = dict(pair.split("=", 1) for pair in records.readline().decode().rstrip("\n").split(","))
        body = io.BytesIO(value[10:])
        data = fastavro.schemaless_reader(body, schemas[value[:10]])
        if body.read():
            raise ValueError(f"bytes remain behind the event at {partition}/{offset}")
        print(json.dumps({"partition": partition, "offset": offset, "key": key, "headers": headers, "data": data}))


if __name__ == "__main__":
    main()
