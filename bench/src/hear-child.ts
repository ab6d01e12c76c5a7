import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Waits for a message of one kind, among those that a child process sends. */
export const hearChild =
  <S extends { readonly kind: string }>() =>
  async <K extends S['kind']>(child: ChildProcess, kind: K): Promise<S & { readonly kind: K }> => {
    for (;;) {
      const [message] = (await once(child, 'message')) as [S];
      if (message.kind === kind) return message as S & { readonly kind: K };
    }
  };
