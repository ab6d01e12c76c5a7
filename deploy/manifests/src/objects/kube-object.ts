import type { Texts } from '../values/value-forms.ts';

/** An object as `kubectl apply` takes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Texts;
  readonly annotations?: Texts;
}

/** What all objects of an installation have in common. `gatehouse uninstall` and `prune` find them by it. */
export const partOf = { 'app.kubernetes.io/part-of': 'gatehouse' } as const;

/** Marks what a service made while it ran: it belongs to no manifest, so nothing that compares with manifests may remove it. */
export const isOurs = ({ metadata: { labels = {} } }: Pick<KubeObject, 'metadata'>): boolean =>
  labels['app.kubernetes.io/part-of'] === partOf['app.kubernetes.io/part-of'];

/** `Deployment gatehouse/gatehouse-policy`: how an object is called in a message, and told from others. */
export const printObjectName = ({
  kind,
  metadata: { namespace, name },
}: Pick<KubeObject, 'kind' | 'metadata'>) =>
  `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
