// Runs the peer, a module, and lets tests be its people: node serve.js PORT listens for
// the bot on PORT and for the test on the one after it, on loopback.
//
// POST / with a message, or with a callback_query, gives it to the bot and answers with
// the message's id, or with why the bot's webhook did not take it.
const http = require("node:http");
const TelegramServer = require("telegram-test-api");

const [host, port] = ["127.0.0.1", Number(process.argv[2])];
// storeTimeout: seconds until messages are forgotten; a test sees all of its own.
const server = new TelegramServer({ host, port, storeTimeout: 7 * 24 * 3600 });

// The peer counts an update only after the webhook has taken it: two at once would be
// the same to the bot.
let last = Promise.resolve();
const inTurn = (give) => (last = last.then(give, give));

async function give(body) {
  const message_id = server.messageId;
  await (body.data === undefined ? server.addUserMessage(body) : server.addUserCallback(body));
  return { message_id };
}

const people = http.createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    const body = JSON.parse(Buffer.concat(parts).toString());
    answer(200, await inTurn(() => give(body)));
  } catch (error) {
    answer(502, { error: error.message });
  }
});

server.start().then(() => people.listen(port + 1, host));
