import { createHash } from 'node:crypto';
import type { CommandAnswer, CommandDoor } from '../../infra/command-door/port.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { settled } from '../../infra/event-store/settled.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import type { TransactAnswer, Transactor } from '../../infra/event-store/transact.ts';
import type { PaymentTokens } from '../../infra/payment-tokens/port.ts';
import type { SubjectKeys } from '../../infra/subject-keys/port.ts';
import type { AmendmentInput, HistoricalFact, OrderCommand, OrderInput } from '../../schemas/commands.ts';
import { derivedId, orderIdOf, orderStream } from '../../schemas/ids.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { actionsOf, type Action } from './actions.ts';
import { orderDecider } from './order-decider.ts';
import type { OrderState } from './order.ts';

export type OrderCommandsOptions = {
  readonly store: EventStore;
  readonly subjectKeys: SubjectKeys;
  readonly paymentTokens: PaymentTokens;
  /** Told of each answer that a receipt gave, and of each decision that lost a race. */
  readonly observe?: (what: 'replayed' | 'conflict') => void;
};

/** Who asks, under which key, and (If-Match) at which version. */
export type CommandCall = {
  readonly tenantId: TenantId;
  readonly commandId: CommandId;
  readonly correlationId: string;
  readonly expectedVersion?: number | undefined;
  /** Answer as the command would be answered now, and store nothing. */
  readonly dryRun?: boolean;
  /** Each refusal is the answer for ever, but for ORDER_NOT_FOUND: for a door that may tell it again. */
  readonly keepsRefusals?: boolean;
};

export type OrderCommandAnswer = TransactAnswer<OrderState> & {
  readonly orderId: OrderId;
  /** Nothing was stored: the events of an acceptance are those that would be. */
  readonly isDryRun: boolean;
};

export type OrderCommands = {
  readonly transactor: Transactor<OrderState, OrderCommand>;
  /** For the saga and other services of ours: answers are decided anew, facts are never refused. */
  readonly door: CommandDoor<OrderCommand>;
  /** Throws what `Transactor.transact` throws. The token of a card goes to the token table, never into an event. */
  place(call: CommandCall, order: OrderInput): Promise<OrderCommandAnswer>;
  backfill(call: CommandCall, order: OrderInput, facts: readonly HistoricalFact[]): Promise<OrderCommandAnswer>;
  amend(call: CommandCall, orderId: OrderId, amendment: AmendmentInput): Promise<OrderCommandAnswer>;
  cancel(call: CommandCall, orderId: OrderId, reason: string): Promise<OrderCommandAnswer>;
  /** What can be asked of the order as it is now; null: the tenant has no such order. */
  actions(tenantId: TenantId, orderId: OrderId): Promise<readonly Action[] | null>;
};

/** The service that decides orders: one transactor behind every door. */
export function openOrderCommands(options: OrderCommandsOptions): OrderCommands {
  const { store, subjectKeys, paymentTokens, observe } = options;
  const transactor = openTransactor(store, {
    decider: orderDecider,
    subjectKeys,
    ...(observe === undefined ? {} : { observe }),
  });
  return {
    transactor,
    door: doorOf(transactor),
    place: (call, order) => {
      const orderId = orderIdOf(call.tenantId, call.commandId);
      const { tokens, kept, hashed } = withoutTokens(order, orderId);
      // Durable first: an authorization must find it, however soon it comes after the append.
      const keepTokens = (): Promise<void> =>
        paymentTokens.put(tokens.map((token) => ({ tenantId: call.tenantId, orderId, ...token })));
      const command = { type: 'PlaceOrder', orderId, tenantId: call.tenantId, order: kept } as const;
      const durableFirst = tokens.length > 0 ? { durableFirst: keepTokens } : {};
      return ask(transactor, call, { command, body: hashed, startsStream: true, ...durableFirst });
    },
    backfill: (call, order, facts) => {
      const orderId = orderIdOf(call.tenantId, call.commandId);
      const command = { type: 'BackfillOrder', orderId, tenantId: call.tenantId, order, facts } as const;
      return ask(transactor, call, { command, body: { ...order, facts }, startsStream: true });
    },
    amend: (call, orderId, amendment) =>
      ask(transactor, call, {
        command: { type: 'AmendOrder', orderId, tenantId: call.tenantId, amendment },
        body: amendment,
        startsStream: false,
      }),
    actions: async (tenantId, orderId) => {
      const { state } = await transactor.load(tenantId, orderStream(orderId));
      return actionsOf(orderId, state);
    },
    cancel: (call, orderId, reason) =>
      ask(transactor, call, {
        command: { type: 'CancelOrder', orderId, reason },
        body: { reason },
        startsStream: false,
      }),
  };
}

type Asked = {
  readonly command: OrderCommand;
  /** As it came in, but for tokens: what the idempotency hash covers, with type and target. */
  readonly body: object;
  readonly startsStream: boolean;
  readonly durableFirst?: () => Promise<void>;
};

async function ask(
  transactor: Transactor<OrderState, OrderCommand>,
  call: CommandCall,
  { command, body, ...start }: Asked,
): Promise<OrderCommandAnswer> {
  const { type, orderId } = command;
  const { dryRun: isDryRun = false } = call;
  const answer = await transactor[isDryRun ? 'preview' : 'transact']({
    tenantId: call.tenantId,
    stream: orderStream(orderId),
    commandId: call.commandId,
    command,
    payload: { type, target: orderId, body },
    origin: type === 'BackfillOrder' ? 'backfill' : 'live',
    correlationId: call.correlationId,
    causationId: null,
    ...(call.expectedVersion === undefined ? {} : { expectedVersion: call.expectedVersion }),
    ...start,
    answers: call.keepsRefusals === true ? 'all-durable' : 'durable',
  });
  return { ...answer, orderId, isDryRun };
}

type Tokens = readonly { readonly paymentId: string; readonly token: string }[];
type Split = { readonly tokens: Tokens; readonly kept: OrderInput; readonly hashed: OrderInput };

/** The order as its event may know it, and as its hash covers it: with a digest where a token was. */
function withoutTokens(order: OrderInput, orderId: OrderId): Split {
  if (order.payments.every(({ token }) => token === undefined)) return { tokens: [], kept: order, hashed: order };
  const tokens = order.payments.flatMap(({ token }, index) =>
    token === undefined ? [] : [{ paymentId: derivedId(orderId, `payment/${index + 1}`), token }],
  );
  const kept = { ...order, payments: order.payments.map(({ token: _, ...payment }) => payment) };
  const hashed = {
    ...order,
    payments: order.payments.map(({ token, ...payment }) =>
      token === undefined ? payment : { ...payment, token: digest(token) },
    ),
  };
  return { tokens, kept, hashed };
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function doorOf(transactor: Transactor<OrderState, OrderCommand>): CommandDoor<OrderCommand> {
  return {
    send: async ({ tenantId, commandId, command, correlationId, causationId }) => {
      const answer: CommandAnswer = settled(
        await transactor.transact({
          tenantId,
          stream: orderStream(command.orderId),
          commandId,
          command,
          payload: command,
          correlationId,
          causationId,
          answers: 'recomputed',
        }),
      );
      return answer.outcome === 'accepted' ? { outcome: 'accepted', version: answer.version } : answer;
    },
  };
}
