/**
 * Loaded by `npm test` into the process of every test file. `--test-timeout` fails a test, but what the test leaves
 * running (a server, a loop that waits for it) keeps the process alive, and the run would wait for it forever.
 */
const limitMs = Number(process.env.TEST_FILE_LIMIT_MS ?? 720_000);

// Set in the processes of files, not in the runner, which lives as long as all of them together.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  const timer = setTimeout(() => {
    const kept = Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (name) => name))
      .map(([name, all]) => `${all?.length} ${name}`)
      .join(', ');
    process.stderr.write(`this test file did not end within ${limitMs} ms; what keeps it alive: ${kept}\n`);
    process.exit(1);
  }, limitMs);
  timer.unref();
}
