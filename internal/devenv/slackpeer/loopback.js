// Loaded into the peer before its own code: it would listen on every interface, which
// is nobody's business but this machine's. Where it listens is written down, so that
// a peer which this did not reach is never taken for ready.
const serve = Bun.serve;
Bun.serve = (options) => {
  const server = serve.call(Bun, { ...options, hostname: "127.0.0.1" });
  require("node:fs").writeFileSync("listens", server.hostname);
  return server;
};
