import { type Target, workloadOf } from '../workload-of.ts';
import type { PortGroups } from './port-groups.ts';
import type { RowCompiler } from './row-compiler.ts';
import { classKey, narrowed } from './workload-class.ts';

/** A key of each port of each workload, equal for those that share their row. It is true of the policies as they are now. */
export const rowKeys = (
  compiler: Pick<RowCompiler, 'labelKeys' | 'policiesFor' | 'portsOf'>,
): ((target: Target, port: number) => string) => {
  const groups = new Map<string, PortGroups>();
  return (target, port) => {
    const workload = narrowed(workloadOf(target), compiler.labelKeys(target.meta.namespace));
    const key = classKey(workload);
    let ports = groups.get(key);
    if (ports === undefined) {
      ports = compiler.portsOf({ workload, policies: compiler.policiesFor(workload) });
      groups.set(key, ports);
    }
    return `${key} ${ports.groupOf(port)}`;
  };
};
