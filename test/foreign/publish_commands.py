"""A checkout that is not ours: publishes commands and reads their outcomes with confluent-kafka and fastavro alone.

stdin: JSON lines {commandId, tenantId, type, payload, compression}; arguments: brokers, topic of commands, topic of
outcomes, folder of schemas. stdout: the outcomes as JSON lines, one a command, in the order in which they came.
"""

import io
import json
import pathlib
import sys
import time
import uuid

import fastavro
from confluent_kafka import Consumer, Producer

brokers, commands_topic, outcomes_topic, schemas = sys.argv[1:5]
folder = pathlib.Path(schemas)
namespace = uuid.UUID("80f8843e-7c5d-53db-a1a4-35cb0ac4aa49")
wait_s = 30


def schema_of(path):
    raw = json.loads(path.read_text())
    canonical = fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(raw, _write_hint=False))
    mark = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    return fastavro.parse_schema(raw), b"\xc3\x01" + mark


def publish(lines):
    producers = {}
    for line in lines:
        schema, head = schema_of(folder / "commands" / f"{line['type']}.v1.avsc")
        body = io.BytesIO()
        fastavro.schemaless_writer(body, schema, line["payload"])
        key = uuid.uuid5(uuid.uuid5(namespace, line["tenantId"]), line["placedBy"])
        settings = {
            "bootstrap.servers": brokers,
            "partitioner": "murmur2_random",
            "compression.type": line["compression"],
            "message.timeout.ms": wait_s * 1000,
        }
        producer = producers.setdefault(line["compression"], Producer(settings))
        producer.produce(
            commands_topic,
            key=str(key),
            value=head + body.getvalue(),
            headers={"command-id": line["commandId"], "tenant-id": line["tenantId"]},
        )
        # Each is there before the next, for they go by several producers.
        producer.flush(wait_s)


def outcomes(count):
    schema, head = schema_of(folder / "outcomes" / "CommandOutcome.v1.avsc")
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": f"{outcomes_topic}-foreign", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([outcomes_topic])
    seen = {}
    deadline = time.monotonic() + wait_s
    while len(seen) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None or message.error():
            continue
        value = message.value()
        assert value[:10] == head, "the outcome is of another schema"
        outcome = fastavro.schemaless_reader(io.BytesIO(value[10:]), schema)
        assert message.key().decode() == outcome["orderId"], "the key is not the order"
        seen.setdefault(outcome["commandId"], outcome)
    consumer.close()
    return seen.values()


lines = [json.loads(line) for line in sys.stdin if line.strip()]
publish(lines)
for outcome in outcomes(len(lines)):
    print(json.dumps(outcome))
