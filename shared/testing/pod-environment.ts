/** A variable of a container, as far as what we render goes. */
export interface PodVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

/**
 * What kubelet gives a container: references to the pod's own fields, and `$(NAME)` of variables before it. A field that
 * `fields` does not have is empty.
 */
export const environmentIn = (
  variables: readonly PodVariable[],
  fields: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of variables) {
    const raw = value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''] ?? '';
    env[name] = raw.replace(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? '');
  }
  return env;
};
