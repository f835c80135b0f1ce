/**
 * Every code that a user can meet, once: on HTTP as problem+json, in an outcome, in a log line or on the CLI.
 * `status` is the HTTP status, `durable` says whether a rejection with this code is the command's answer for ever
 * (design.md, "Idempotency"), `help` tells what to do.
 */
type ErrorRow = { readonly status: number; readonly title: string; readonly help: string; readonly durable?: true };

export const errorCodes = {
  // The request itself.
  MALFORMED_JSON: { status: 400, title: 'The body is not readable JSON', help: 'Send one JSON object in UTF-8.' },
  INVALID_REQUEST: {
    status: 400,
    title: 'The request does not have the documented shape',
    help: 'See errors[]; unknown and missing fields are refused.',
  },
  INVALID_VALUE: {
    status: 422,
    title: 'A field has an impossible value',
    help: 'See errors[] for the field and what it may hold.',
  },
  INVALID_CURSOR: {
    status: 400,
    title: 'The cursor or position is not one of ours',
    help: 'Use nextCursor or checkpoint as it was given.',
  },
  INVALID_TENANT: { status: 400, title: 'The tenant id is malformed', help: 'Use 1 to 64 of A-Z, a-z, 0-9, _ and -.' },
  INVALID_IF_MATCH: {
    status: 400,
    title: 'If-Match is malformed',
    help: 'Send If-Match: "<version>" as the ETag gave it, or leave it out.',
  },
  IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    title: 'Idempotency-Key is missing',
    help: 'Send a key of your own with every POST; repeat it when you retry.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    title: 'Idempotency-Key is malformed',
    help: 'Use 1 to 255 visible ASCII characters.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'This key was used with another payload',
    help: 'Use a new key for a new command.',
  },
  IDEMPOTENCY_KEY_IN_PROGRESS: {
    status: 409,
    title: 'The first request with this key is still running',
    help: 'Retry with the same key after a moment.',
  },
  VERSION_MISMATCH: {
    status: 412,
    title: 'The order has another version than If-Match names',
    help: 'Read the order again and decide anew.',
  },
  NOT_FOUND: { status: 404, title: 'There is nothing at this address', help: 'See /openapi.json for the paths.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'This path does not take that method',
    help: 'See /openapi.json for the methods.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    help: 'Bodies are up to 1 MiB, batches up to 8 MiB.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The content type or encoding is not supported',
    help: 'Send application/json without Content-Encoding.',
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive',
    help: 'Send the whole request within 10 seconds.',
  },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large', help: 'Headers are up to 16 KiB.' },

  // The business says no. Rejections of `decide`.
  ORDER_NOT_FOUND: { status: 404, title: 'There is no such order', help: 'Check the id and the tenant.' },
  COMMAND_NOT_FOUND: {
    status: 404,
    title: 'No command with this id has an answer',
    help: 'Check the id and the tenant; answers without an order are kept for 30 days.',
  },
  TOTAL_MISMATCH: {
    status: 422,
    title: 'The payments do not add up to the total',
    help: 'total = subtotal + tax + shippingFee - discount, at least 0, equal to the sum of payments.',
    durable: true,
  },
  ORDER_ALREADY_EXISTS: {
    status: 409,
    title: 'This order was placed by another command',
    help: 'Use a new command id.',
    durable: true,
  },
  REFERENCE_TAKEN: {
    status: 409,
    title: 'Another order has this reference',
    help: 'A reference is unique per tenant.',
    durable: true,
  },
  ORDER_ALREADY_SHIPPED: {
    status: 409,
    title: 'Dispatch of this order has begun',
    help: 'It can be returned once it is delivered.',
    durable: true,
  },
  ORDER_CANCELLED: { status: 409, title: 'The order is cancelled', help: 'Place a new order.', durable: true },
  ORDER_NOT_PAID: {
    status: 409,
    title: 'The order is not paid',
    help: 'Capture the whole total first.',
    durable: true,
  },
  ORDER_PAID: {
    status: 409,
    title: 'The order is paid',
    help: 'A paid order does not expire, and is not amended.',
    durable: true,
  },
  ORDER_PAYMENT_BEGUN: {
    status: 409,
    title: 'Payment of the order has begun',
    help: 'Only an order that is paid later can be amended, until its payment begins; cancel it and place it anew.',
    durable: true,
  },
  STOCK_RESERVED: {
    status: 409,
    title: 'More is reserved than would remain',
    help: 'Release reservations first, or adjust by less.',
    durable: true,
  },
  OUT_OF_STOCK: {
    status: 409,
    title: 'There is not enough stock',
    help: 'Wait for a receipt, or order less.',
    durable: true,
  },
  RESERVATION_NOT_FOUND: {
    status: 409,
    title: 'There is no such reservation',
    help: 'It was released or deducted before, or never made.',
    durable: true,
  },
  SKU_NOT_TRACKED: {
    status: 404,
    title: 'No stock was ever received for this SKU',
    help: 'An untracked SKU never sells out; POST a receipt to track it.',
  },
  SAGA_STEP_NOT_PENDING: {
    status: 409,
    title: 'The fulfillment is not waiting for this',
    help: 'It moved on; read it again.',
    durable: true,
  },
  REFUND_EXCEEDS_CAPTURED: {
    status: 409,
    title: 'More would be refunded than was captured',
    help: 'Refund at most captured - refunded - pending.',
    durable: true,
  },
  NOT_YET_VISIBLE: {
    status: 409,
    title: 'The order is not at that version',
    help: 'Retry after the stated time, or ask for a lower minVersion.',
  },

  // The world does not help. Operational failures.
  STORE_UNAVAILABLE: {
    status: 503,
    title: 'The event store does not answer',
    help: 'Retry with the same key; nothing was stored.',
  },
  OUTCOME_UNKNOWN: {
    status: 503,
    title: 'The store may or may not have taken the command',
    help: 'Retry with the same key: it tells which.',
  },
  OVERLOADED: {
    status: 503,
    title: 'Too many commands are waiting',
    help: 'Retry with the same key after Retry-After; nothing was stored.',
  },
  VIEWS_UNAVAILABLE: { status: 503, title: 'The read database does not answer', help: 'Retry after a moment.' },
  SNAPSHOTS_UNAVAILABLE: {
    status: 503,
    title: 'The snapshot cache does not answer',
    help: 'Reads go on from the views; see CACHE_URL and the Redis behind it.',
  },
  KAFKA_UNAVAILABLE: {
    status: 503,
    title: 'Kafka does not answer, or not in time',
    help: 'It is tried again; see FEED_URL and COMMANDS_URL, the brokers behind them, and order-center topics diff.',
  },
  SCHEMA_REGISTRY_UNAVAILABLE: {
    status: 503,
    title: 'The schema registry does not answer as one, or not in time',
    help: 'It is asked again, and nothing is lost meanwhile; see SCHEMA_REGISTRY_URL and the registry behind it.',
  },
  SCHEMA_REFUSED: {
    status: 503,
    title: 'The schema registry refuses a schema of ours',
    help: 'Another schema has its name there, or its compatibility rule forbids it: look at the subject that is named.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'This process is draining',
    help: 'Retry; another process or the next start answers.',
  },
  CONFLICT_RETRIES_EXHAUSTED: {
    status: 503,
    title: 'The stream changed too often while deciding',
    help: 'Retry with the same key.',
  },
  EVENT_TOO_LARGE: {
    status: 413,
    title: 'The command makes an event that is too large',
    help: 'Send less text, or fewer lines.',
  },
  POISON_VALUE: {
    status: 422,
    title: 'The store cannot hold a value of this command',
    help: 'Remove NUL and unpaired surrogate characters.',
  },
  FOREIGN_STORE: {
    status: 500,
    title: 'This is not the event store that the views were built from',
    help: 'Point EVENT_STORE_URL and READ_DB_URL to databases that belong together, or restore the lost one; to go on with this event store and rebuild the views from it, run npx order-center store adopt --yes.',
  },
  CHECKPOINT_MOVED: {
    status: 500,
    title: 'Another process moved this checkpoint',
    help: 'It owns the work now; this process starts again from the new checkpoint.',
  },
  PARKING_THRESHOLD: {
    status: 500,
    title: 'Too many orders could not be projected; the view stands still',
    help: 'See order-center parking list, and deploy a fix: the view goes on from where it stopped.',
  },
  NOT_PARKED: {
    status: 404,
    title: 'Nothing is parked there',
    help: 'It was drained, or never parked; see GET /v1/admin/parking.',
  },
  UNSAFE_DURABILITY: {
    status: 500,
    title: 'fsync or synchronous_commit is off',
    help: 'Switch both on: an acknowledged order must survive a power cut.',
  },
  INVALID_CONFIGURATION: {
    status: 500,
    title: 'The environment holds impossible values',
    help: 'Correct the named variables; npx order-center config lists them all.',
  },
  PORT_UNUSABLE: {
    status: 500,
    title: 'The port cannot be listened on',
    help: 'Stop what listens there, or choose another PORT; 0 takes a free one.',
  },
  DATA_DIR_UNUSABLE: {
    status: 500,
    title: 'The data folder cannot be used',
    help: 'Point DATA_DIR to a folder that this user may write.',
  },
  DATA_DIR_IN_USE: {
    status: 500,
    title: 'Another process runs on this data folder',
    help: 'Stop the named process, or choose another DATA_DIR.',
  },
  SERVER_MISSING: {
    status: 500,
    title: 'A server that this needs cannot be had on this machine',
    help: 'Install what is named, or give the address of a server of your own.',
  },
  POSTGRES_START_FAILED: {
    status: 500,
    title: 'The embedded Postgres does not start',
    help: 'See its log in DATA_DIR, or set EVENT_STORE_URL to a Postgres of your own.',
  },
  ROLE_UNAVAILABLE: {
    status: 503,
    title: 'The process that answers this is not there',
    help: 'Retry after a moment, a command with the same Idempotency-Key: it may have been carried out.',
  },
  DEPENDENCY_TIMEOUT: {
    status: 504,
    title: 'A gateway did not answer in time',
    help: 'It is retried; the order waits.',
  },
  DEPENDENCY_FAILED: {
    status: 502,
    title: 'A gateway answered with an error',
    help: 'It is retried; the order waits.',
  },
  DEPENDENCY_REFUSED: {
    status: 502,
    title: 'A gateway refused the request',
    help: 'The refusal is final; see its code.',
  },
  BREAKER_OPEN: {
    status: 503,
    title: 'The breaker of a gateway is open',
    help: 'It tries again by itself after a minute.',
  },
  INTERNAL: { status: 500, title: 'A bug on our side', help: 'Report the traceId.' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorCodes;

export function errorRow(code: ErrorCode): ErrorRow {
  return errorCodes[code];
}
