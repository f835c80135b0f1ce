import { freePorts } from '../../infra/local/free-port.ts';
import { localUrl, roleNames, type GatewayPorts, type RoleInstance, type RoleName } from './roles.ts';

/** Which processes there will be, and where each of them listens for as long as the stack runs. */
export type Plan = { readonly instances: readonly RoleInstance[]; readonly gateways: GatewayPorts };

/** @param originPort where people go; a free one if null or 0: it is told to all before anybody listens */
export async function plan(scale: ReadonlyMap<RoleName, number>, originPort: number | null): Promise<Plan> {
  const names = roleNames.flatMap((role) => namesOf(role, scale.get(role) ?? 1));
  const [payment = 0, logistics = 0, ...ports] = await freePorts(names.length + 2);
  const instances = names.map(({ role, name }, at) => {
    const port = role === 'origin' && originPort !== null && originPort !== 0 ? originPort : (ports[at] ?? 0);
    return { role, name, port, url: localUrl(port) };
  });
  // The simulators listen one after the other: when the last one answers, all do.
  const risk = instances.find(({ role }) => role === 'simulators')?.port ?? 0;
  return { instances, gateways: { payment, logistics, risk } };
}

function namesOf(role: RoleName, count: number): readonly { readonly role: RoleName; readonly name: string }[] {
  return Array.from({ length: count }, (_, at) => ({ role, name: count === 1 ? role : `${role}-${at + 1}` }));
}
