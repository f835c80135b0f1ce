import type { HttpReply } from '../../../infra/http-server/app.ts';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';
import { bodyWithAsOf, type OrderAnswer } from '../answers.ts';
import type { OrderQueries } from '../order-queries.ts';

type AddressedOrder = { readonly tenantId: TenantId; readonly orderId: OrderId; readonly order: OrderAnswer };

/**
 * The order with its address opened, for its owner. Nobody on the way may keep it, and a reader that has the version
 * may not have the address: never 304.
 */
export async function sendWithAddress(
  queries: Pick<OrderQueries, 'address'>,
  reply: HttpReply,
  { order, ...place }: AddressedOrder,
): Promise<HttpReply> {
  const shippingAddress = await queries.address({ ...place, version: order.version });
  const { asOf, ...summary } = JSON.parse(bodyWithAsOf(order).toString()) as Readonly<Record<string, unknown>>;
  return reply
    .header('etag', `"${order.version}"`)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify({ ...summary, shippingAddress, asOf }));
}
