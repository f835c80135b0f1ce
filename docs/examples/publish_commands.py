"""Places an order on Kafka and waits for its outcome, then cancels it and waits again.

    python -m venv venv && venv/bin/pip install confluent-kafka fastavro
    venv/bin/python docs/examples/publish_commands.py 127.0.0.1:9092
"""

import io
import json
import sys
import time
import uuid
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, Producer, TopicPartition

NAMESPACE = uuid.UUID("80f8843e-7c5d-53db-a1a4-35cb0ac4aa49")
SCHEMAS = Path(__file__).parents[2] / "schemas"


class Message:
    """An .avsc file, and single-object encoding: C3 01, CRC-64-AVRO of the schema (little-endian), the body."""

    def __init__(self, path: str) -> None:
        text = json.loads((SCHEMAS / path).read_text("utf-8"))
        canonical = fastavro.schema.to_parsing_canonical_form(text)
        self.schema = fastavro.parse_schema(text)
        self.head = b"\xc3\x01" + bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))

    def encode(self, payload: dict) -> bytes:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, self.schema, payload)
        return self.head + body.getvalue()

    def decode(self, value: bytes) -> dict:
        if not value.startswith(self.head):
            raise ValueError("written with another schema: look it up by its fingerprint")
        return fastavro.schemaless_reader(io.BytesIO(value[len(self.head):]), self.schema)


place_order = Message("commands/PlaceOrder.v1.avsc")
cancel_order = Message("commands/CancelOrder.v1.avsc")
command_outcome = Message("outcomes/CommandOutcome.v1.avsc")


def order_id_of(tenant: str, command_id: str) -> str:
    """The order that a placement makes is known before it is sent: it is the key of all its commands."""
    return str(uuid.uuid5(uuid.uuid5(NAMESPACE, tenant), command_id))


def at_the_end(brokers: str, topic: str) -> Consumer:
    """Reads what is written to the topic from now on, by itself: no group shares these outcomes."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": str(uuid.uuid4()), "enable.auto.commit": False})
    partitions = []
    for number in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        partition = TopicPartition(topic, number)
        partition.offset = consumer.get_watermark_offsets(partition, timeout=10)[1]
        partitions.append(partition)
    consumer.assign(partitions)
    return consumer


def outcome_of(consumer: Consumer, command_id: str, within_s: float = 30) -> dict:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        record = consumer.poll(0.5)
        if record is None or record.error():
            continue
        if dict(record.headers() or [])["command-id"].decode() == command_id:
            return command_outcome.decode(record.value())
    raise TimeoutError(f"no outcome of {command_id}: publish it again, a repeat has no second effect")


def main(brokers: str) -> None:
    # murmur2_random: the partitioner of Java's clients, so that every publisher finds the order's one partition.
    producer = Producer({"bootstrap.servers": brokers, "partitioner": "murmur2_random", "acks": "all"})
    outcomes = at_the_end(brokers, "order.command-outcomes")

    def publish(message: Message, order_id: str, command_id: str, payload: dict) -> dict:
        headers = {"command-id": command_id, "tenant-id": "default"}
        producer.produce("order.commands", key=order_id, value=message.encode(payload), headers=headers)
        if producer.flush(10) > 0:
            raise TimeoutError("not acknowledged: publish it again under the same command id")
        return outcome_of(outcomes, command_id)

    placing = f"python-{uuid.uuid4()}"
    order_id = order_id_of("default", placing)
    order = {
        "customerId": "customer-1",
        "currency": "EUR",
        "lines": [{"sku": "mug-blue", "quantity": 2, "unitPrice": 2245}],
        "shippingFee": 500,
        "payments": [{"method": "bank_slip"}],
    }
    print(json.dumps(publish(place_order, order_id, placing, order)))
    print(json.dumps(publish(cancel_order, order_id, f"{placing}-cancel", {"reason": "changed my mind"})))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9092")
