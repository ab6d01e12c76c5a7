import { setTimeout as sleep } from 'node:timers/promises';
import { asGatehouseError } from '@gatehouse/core/error';
import type { ServiceName } from '@gatehouse/platform/service/service';
import { DemoMesh, type MeshOptions } from './demo-mesh.ts';
import { printHints } from './hints.ts';
import { Narrator, StepFailure } from './narrator.ts';
import type { Screen } from './screen.ts';
import { stepCount, tellStory } from './steps.ts';

export interface StoryOptions extends MeshOptions {
  readonly screen: Screen;
  /** Ends after the last step; otherwise the mesh stays up until it is interrupted. */
  readonly once: boolean;
  /** Kills the service at the beginning of the step, and starts it again at once. */
  readonly kill?: { readonly service: ServiceName; readonly step: number };
}

export type StoryEnd =
  | { readonly kind: 'told' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly step: number; readonly reason: string; readonly verdict: string };

/** How long proxies may need to find their way back after a kill: the service's start and the proxy's longest backoff. */
const patienceAfterKillMs = 45_000;

/** Plays the story and ends everything it started, whatever happens. */
export const playStory = async (options: StoryOptions): Promise<StoryEnd> => {
  const { screen, interrupted, kill } = options;
  const mesh = await DemoMesh.prepare(options);
  const narrator = new Narrator(mesh, screen);
  const begun = performance.now();
  try {
    screen.title(
      'Gatehouse: who may talk to whom, decided by identity',
      'Real certificates, real gRPC streams, real mutual TLS, on loopback addresses of this machine.',
    );
    for (const [index, step] of tellStory().entries()) {
      const number = index + 1;
      screen.step(number, step.title);
      try {
        await playStep(narrator, { number, run: (to) => step.run(to), kill });
      } catch (thrown) {
        if (interrupted.aborted) return { kind: 'interrupted' };
        return { kind: 'failed', step: number, reason: reasonOf(thrown, mesh), verdict: narrator.verdict };
      }
    }
    screen.line();
    screen.verdict(`${narrator.verdict}, in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    if (options.once) return { kind: 'told' };
    printHints(screen, mesh);
    return await untilInterrupted(mesh, narrator);
  } finally {
    await mesh.stop();
  }
};

interface PlayedStep {
  readonly number: number;
  readonly run: (narrator: Narrator) => Promise<void>;
  readonly kill: StoryOptions['kill'];
}

const playStep = async (narrator: Narrator, { number, run, kill }: PlayedStep): Promise<void> => {
  const { mesh, screen } = narrator;
  if (kill?.step !== number) return run(narrator);
  const strike = async (): Promise<void> => {
    screen.did(`killed ${kill.service} (SIGKILL) and started it again`);
    await mesh.killAndRestart(kill.service);
    narrator.patienceMs = patienceAfterKillMs;
  };
  // Before the first step there is nothing to kill: the service dies as soon as it is up.
  if (number === 1) {
    await run(narrator);
    await strike();
    await mesh.untilServicesReady();
  } else {
    await strike();
    await run(narrator);
  }
};

const reasonOf = (thrown: unknown, mesh: DemoMesh): string => {
  if (mesh.failure !== undefined) return mesh.failure;
  if (thrown instanceof StepFailure) return thrown.message;
  const { code, message, cause } = asGatehouseError(thrown);
  return code === 'internal' && cause instanceof Error
    ? `${message}: ${cause.stack ?? cause.message}`
    : message;
};

const untilInterrupted = async (mesh: DemoMesh, { verdict }: Narrator): Promise<StoryEnd> => {
  while (!mesh.interrupted.aborted) {
    if (mesh.failure !== undefined) return { kind: 'failed', step: stepCount, reason: mesh.failure, verdict };
    await sleep(500, undefined, { signal: mesh.interrupted }).catch(() => undefined);
  }
  return { kind: 'interrupted' };
};
