import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

import { CommandFailure } from '../failure.ts';
import type { OlistOrder, OlistRow } from './olist-order.ts';

/** Rows of one file, ten times the whole public data set: what one run keeps in memory ends here. */
const rowsMax = 1_200_000;

/**
 * Reads a folder of Olist files, .csv or .csv.gz, and joins them by order. The original names
 * (olist_orders_dataset.csv) are taken as well.
 * @throws CommandFailure where a file is missing or is not such a file
 */
export async function readOlist(folder: string): Promise<readonly OlistOrder[]> {
  const [orders, items, payments, customers] = [
    await readRows(folder, files.orders),
    groupBy(await readRows(folder, files.items), 'order_id'),
    groupBy(await readRows(folder, files.payments), 'order_id'),
    groupBy(await readRows(folder, files.customers), 'customer_id'),
  ];
  const seen = new Set<string>();
  return orders.map((order) => {
    const { order_id: id = '', customer_id: customerId = '' } = order;
    if (seen.has(id)) throw new CommandFailure(`order ${id} is in the orders file twice`);
    seen.add(id);
    const customer = customers.get(customerId)?.[0];
    if (customer === undefined) throw new CommandFailure(`the customers file has no ${customerId}, of order ${id}`);
    return { order, items: items.get(id) ?? [], payments: payments.get(id) ?? [], customer };
  });
}

type OlistFile = { readonly names: readonly [string, ...string[]]; readonly columns: readonly string[] };

const files = {
  orders: {
    names: ['orders', 'olist_orders_dataset'],
    columns: [
      'order_id',
      'customer_id',
      'order_status',
      'order_purchase_timestamp',
      'order_approved_at',
      'order_delivered_carrier_date',
      'order_delivered_customer_date',
    ],
  },
  items: {
    names: ['order_items', 'olist_order_items_dataset'],
    columns: ['order_id', 'order_item_id', 'product_id', 'price', 'freight_value'],
  },
  payments: {
    names: ['payments', 'order_payments', 'olist_order_payments_dataset'],
    columns: ['order_id', 'payment_sequential', 'payment_type', 'payment_value'],
  },
  customers: {
    names: ['customers', 'olist_customers_dataset'],
    columns: ['customer_id', 'customer_unique_id', 'customer_zip_code_prefix', 'customer_city', 'customer_state'],
  },
} as const satisfies Record<string, OlistFile>;

async function readRows(folder: string, file: OlistFile): Promise<readonly OlistRow[]> {
  const path = await find(folder, file);
  const rows: OlistRow[] = [];
  const collect = async (records: AsyncIterable<OlistRow>): Promise<void> => {
    for await (const record of records) {
      if (rows.length === rowsMax) throw new CommandFailure(`${path} has more than ${rowsMax} rows`);
      rows.push(record);
    }
  };
  const parser = parse({ bom: true, columns: (header: string[]) => checked(header, { path, file }) });
  const source = createReadStream(path);
  const reading = path.endsWith('.gz')
    ? pipeline(source, createGunzip(), parser, collect)
    : pipeline(source, parser, collect);
  await reading.catch((cause: unknown) => {
    if (cause instanceof CommandFailure) throw cause;
    throw new CommandFailure(`${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  });
  return rows;
}

async function find(folder: string, { names }: OlistFile): Promise<string> {
  for (const name of names) {
    for (const extension of ['.csv', '.csv.gz']) {
      const path = join(folder, `${name}${extension}`);
      const isThere = await access(path).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  throw new CommandFailure(`there is no ${names[0]}.csv or ${names[0]}.csv.gz in ${folder}`);
}

function checked(header: string[], { path, file }: { path: string; file: OlistFile }): string[] {
  const missing = file.columns.filter((column) => !header.includes(column));
  if (missing.length > 0) throw new CommandFailure(`${path} has no column ${missing.join(', ')}`);
  return header;
}

function groupBy(rows: readonly OlistRow[], column: string): ReadonlyMap<string, readonly OlistRow[]> {
  return Map.groupBy(rows, (row) => row[column] ?? '');
}
