import { Type, type TSchema } from 'typebox';
import type { CommandDoor } from '../../../infra/command-door/port.ts';
import { serveDoor } from '../../../infra/command-door/serve.ts';
import type { Routes } from '../../../infra/http-server/app.ts';
import type { ReservationCommand } from '../../../schemas/commands.ts';
import { unreachable } from '../../../schemas/decision.ts';
import type { Inventory, StockDoor } from '../open.ts';

type DoorAnswer = Awaited<ReturnType<StockDoor[keyof StockDoor]>>;

/** What the sagas of another process ask of the stock of this one. */
export function stockDoorRoutes({ door }: Pick<Inventory, 'door'>): Routes {
  return serveDoor({ name: 'stock', door: byCommand(door), commands: stockDoorCommands });
}

const stockDoorCommands = Object.entries(fieldsByType()).map(([type, fields]) =>
  Type.Object(
    {
      type: Type.Literal(type),
      sku: Type.String({ pattern: '^[\\x21-\\x7e]{1,128}$' }),
      orderId: Type.String({ format: 'uuid' }),
      ...fields,
    },
    { additionalProperties: false },
  ),
);

type Fields = { readonly [Type in ReservationCommand['type']]: Readonly<Record<string, TSchema>> };

function fieldsByType(): Fields {
  const units = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  return {
    ReserveStock: { quantity: units },
    ChangeReservation: { quantity: units, orderVersion: units },
    ReleaseStock: {},
    DeductStock: {},
  };
}

function byCommand(door: StockDoor): CommandDoor<ReservationCommand, DoorAnswer> {
  return {
    send: ({ command, ...ids }) => {
      const { sku, orderId } = command;
      const call = { ...ids, sku, orderId };
      switch (command.type) {
        case 'ReserveStock':
          return door.reserve({ ...call, quantity: command.quantity });
        case 'ChangeReservation':
          return door.change({ ...call, quantity: command.quantity, orderVersion: command.orderVersion });
        case 'ReleaseStock':
          return door.release(call);
        case 'DeductStock':
          return door.deduct(call);
        default:
          return unreachable(command);
      }
    },
  };
}
