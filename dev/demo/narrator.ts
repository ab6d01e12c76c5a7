import { setTimeout as sleep } from 'node:timers/promises';
import { GatehouseError } from '@gatehouse/core/error';
import { type CallResult, callDirect, type DirectOutcome } from '../proxy/call.ts';
import type { DemoMesh, PodName } from './demo-mesh.ts';
import type { Screen } from './screen.ts';

/** One call of the story, and what must come of it. */
export interface ToldCall {
  readonly from: PodName;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect: number;
}

/** A step that did not go as the story says. */
export class StepFailure extends Error {}

const phrases: Readonly<Record<number, string>> = { 200: 'allowed', 403: 'denied', 404: 'no route' };
const verdictOf = (status: number): string => `${status} ${phrases[status] ?? 'unexpected'}`;

/** What a proxy answers when it cannot reach something, rather than when it may not. */
const isOutage = (status: number): boolean => status >= 502 && status <= 504;

/**
 * Makes the story's calls and shows them with their verdicts; a verdict other than the expected one ends the story.
 * `patienceMs`: how long an outage (502 to 504, no answer) may last before it fails the step: a few
 * seconds for a machine that is busy, more once a service was killed. What a proxy may not reach is not an outage, but a 403.
 */
export class Narrator {
  readonly mesh: DemoMesh;
  readonly screen: Screen;
  patienceMs = 5_000;
  #shown = 0;
  #asExpected = 0;

  constructor(mesh: DemoMesh, screen: Screen) {
    this.mesh = mesh;
    this.screen = screen;
  }

  /** How many of the verdicts shown were the expected ones, such as `21 of 21 as expected`. */
  get verdict(): string {
    return `${this.#asExpected} of ${this.#shown} as expected`;
  }

  /** One call through the pod's own proxy. Outages are waited out as far as `patienceMs` goes. */
  async call(told: ToldCall): Promise<CallResult> {
    const result = await this.#try(told);
    this.#show(told, result.status);
    return result;
  }

  /** Repeats a call until it has the expected verdict, then shows it: for what a change must bring about. */
  async callUntil(
    told: ToldCall,
    changedAt: number,
  ): Promise<{ readonly result: CallResult; readonly afterMs: number }> {
    const deadline = Date.now() + 10_000 + this.patienceMs;
    for (;;) {
      const result = await this.#try(told);
      if (result.status === told.expect || Date.now() > deadline) {
        const afterMs = Date.now() - changedAt;
        this.#show(told, result.status);
        return { result, afterMs };
      }
      if (this.mesh.interrupted.aborted) throw new GatehouseError('cancelled', 'interrupted');
      await sleep(2);
    }
  }

  /** A call by a client outside the mesh, straight to a pod's port. Everything but an answer of 200 is a denial. */
  async callFromOutside(
    what: string,
    from: PodName,
    to: { readonly pod: PodName; readonly port: number },
    tls?: { readonly certificate: string; readonly key: string },
  ): Promise<void> {
    const { address, identity } = this.mesh.pod(to.pod);
    const outcome: DirectOutcome = await callDirect({
      to: { host: address, port: to.port },
      from: this.mesh.pod(from).address,
      url: `http://${address}:${to.port}/`,
      ...(tls === undefined ? {} : { tls: { name: identity, ...tls } }),
    });
    const allowed = outcome.kind === 'answered' && outcome.status < 400;
    const verdict = outcome.kind === 'closed' ? 'refused' : verdictOf(outcome.status);
    this.#say({ what, verdict, allowed, expected: !allowed });
    if (allowed) throw new StepFailure(`${what} was answered with ${verdict}, and should have been denied`);
  }

  async #try(told: ToldCall): Promise<CallResult> {
    const deadline = Date.now() + this.patienceMs;
    for (;;) {
      const late = Date.now() >= deadline;
      try {
        const result = await this.mesh.caller(told.from).call(told);
        if (!isOutage(result.status) || late) return result;
      } catch (error) {
        if (late) throw new StepFailure(`${printCall(told)} got no answer: ${(error as Error).message}`);
      }
      const { failure } = this.mesh;
      if (failure !== undefined) throw new GatehouseError('unavailable', failure);
      if (this.mesh.interrupted.aborted) throw new GatehouseError('cancelled', 'interrupted');
      await sleep(50);
    }
  }

  #say(call: Parameters<Screen['call']>[0]): void {
    this.#shown += 1;
    if (call.expected) this.#asExpected += 1;
    this.screen.call(call);
  }

  #show(told: ToldCall, status: number): void {
    const expected = status === told.expect;
    this.#say({ what: printCall(told), verdict: verdictOf(status), allowed: status < 400, expected });
    if (!expected) {
      throw new StepFailure(
        `${printCall(told)} was answered with ${verdictOf(status)}, not ${verdictOf(told.expect)}`,
      );
    }
  }
}

const printCall = ({ from, method = 'GET', url, headers = {} }: ToldCall): string => {
  const who = from.replace(/-\d+$/, '');
  const extra = Object.entries(headers).map(([name, value]) => ` (${name}: ${value})`);
  return `${who} > ${method} ${url.replace('http://', '')}${extra.join('')}`;
};
