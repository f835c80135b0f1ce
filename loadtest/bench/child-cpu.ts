/** CPU time of this process since its start, in microseconds: a child's cost is the difference over a leg. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
