import { httpCommandDoor, type RemoteDoor, type RemoteDoorOptions } from './http/command-door.ts';

export type { RemoteDoor };

/** The door of another process, by the scheme of its URL: `http:` or `https:`. @throws Error for another scheme */
export function openCommandDoor<C, Answer>(options: RemoteDoorOptions<Answer>): RemoteDoor<C, Answer> {
  switch (new URL(options.url).protocol) {
    case 'http:':
    case 'https:':
      return httpCommandDoor(options);
    default:
      throw new Error('command-door: the URL must start with http: or https:');
  }
}
