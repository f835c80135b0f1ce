import { Type, type TSchema } from 'typebox';
import type { Routes } from '../http-server/app.ts';
import type { CommandDoor, CommandEnvelope } from './port.ts';
import { doorPath, type DoorName } from './wire-format.ts';

export type ServedDoor<C, Answer> = {
  readonly name: DoorName;
  readonly door: CommandDoor<C, Answer>;
  /** Each kind of command, tagged by `type`: one that is not among them, or that holds more, is refused. */
  readonly commands: readonly TSchema[];
};

const identifier = Type.String({ minLength: 1, maxLength: 255 });

/**
 * A door for our other processes: the command's envelope in, its durable answer out. It is no part of the public API,
 * whose document does not show it, and a role that runs alone is the only one that has it.
 */
export function serveDoor<C, Answer>({ name, door, commands }: ServedDoor<C, Answer>): Routes {
  const command = Type.Unsafe<C>({
    type: 'object',
    discriminator: { propertyName: 'type' },
    required: ['type'],
    oneOf: commands,
  });
  const envelope = Type.Object(
    {
      tenantId: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      commandId: Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' }),
      command,
      correlationId: identifier,
      causationId: Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'uuid' }),
    },
    { additionalProperties: false },
  );
  return (app) => {
    app.post(doorPath(name), { schema: { hide: true, body: envelope } }, async (request, reply) => {
      // The schema just checked it.
      const answer = await door.send(request.body as unknown as CommandEnvelope<C>);
      return reply.header('content-type', 'application/json').send(JSON.stringify(answer));
    });
    app.get(doorPath(name), { schema: { hide: true } }, (_request, reply) =>
      reply.header('content-type', 'application/json').send(JSON.stringify({ door: name })),
    );
  };
}
