import type { ChildProcess } from 'node:child_process';
import { hearChild } from '../hear-child.ts';
import type { Order, Said } from './side.ts';

/** What a measured process says. */
export const said = hearChild<Said>();

export const tell = (child: ChildProcess, order: Order): void => {
  child.send(order);
};

/** What the process used until now. */
export const used = (child: ChildProcess): Promise<Said & { readonly kind: 'used' }> => {
  const answer = said(child, 'used');
  tell(child, 'use');
  return answer;
};
