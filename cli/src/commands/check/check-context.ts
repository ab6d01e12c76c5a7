import type { ServiceName } from '@gatehouse/platform/service/service';
import type { AdminApi } from '../../reach/admin-client.ts';
import type { ClusterReader } from './cluster-reader.ts';

/** What checks look at. */
export interface CheckContext {
  readonly cluster: ClusterReader;
  /** Of the control plane. */
  readonly namespace: string;
  /** Whose pods are looked at; undefined = all namespaces. */
  readonly of: string | undefined;
  /** The REST API of a service; throws why it cannot be reached. */
  readonly api: (service: ServiceName) => Promise<AdminApi>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
