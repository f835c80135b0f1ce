import type { OlistOrder } from './olist-order.ts';

/** An order for tests, as the files have it; `change` replaces columns of its order row. */
export function olistOrder(status: string, change: Readonly<Record<string, string>> = {}): OlistOrder {
  const order = {
    order_id: 'o1',
    customer_id: 'c1',
    order_status: status,
    order_purchase_timestamp: '2017-07-09 21:00:00',
    order_approved_at: '2017-07-09 22:00:00',
    order_delivered_carrier_date: '2017-07-11 00:00:00',
    order_delivered_customer_date: '2017-07-12 00:00:00',
    ...change,
  };
  const item = (id: string, price: string, freight: string) => ({
    order_id: order.order_id,
    order_item_id: id,
    product_id: `p${id}`,
    price,
    freight_value: freight,
  });
  const payment = (sequential: string, type: string, value: string) => ({
    order_id: order.order_id,
    payment_sequential: sequential,
    payment_type: type,
    payment_value: value,
  });
  return {
    order,
    items: [item('2', '5.01', '1.5'), item('1', '19.9', '2')],
    payments: [payment('3', 'voucher', '0'), payment('1', 'credit_card', '28'), payment('2', 'boleto', '0.41')],
    customer: {
      customer_id: 'c1',
      customer_unique_id: 'u1',
      customer_zip_code_prefix: '04548',
      customer_city: 'sao paulo',
      customer_state: 'SP',
    },
  };
}
