// The official JavaScript SDK against the local service: `node scenarios.mjs CONNECTION_STRING QUEUES_JSON`.
// Each scenario uses its own queue; the result of all of them is one JSON object on standard output.

import assert from "node:assert/strict";
import { ServiceBusClient, ServiceBusError } from "@azure/service-bus";

const [connectionString, queues] = [process.argv[2], JSON.parse(process.argv[3])];
const WAIT = { maxWaitTimeInMs: 5000 };

async function bodies(receiver, count) {
  const messages = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, WAIT);
    if (more.length === 0) break;
    messages.push(...more);
  }
  return messages;
}

export const scenarios = {
  async send_and_complete(client, queue) {
    const sender = client.createSender(queue);
    await sender.sendMessages({ body: { hello: "world" }, messageId: "m1", applicationProperties: { lane: "standard" } });
    const receiver = client.createReceiver(queue);
    const [message] = await bodies(receiver, 1);
    assert.deepEqual(message.body, { hello: "world" });
    assert.equal(message.messageId, "m1");
    assert.equal(message.applicationProperties.lane, "standard");
    assert.equal(message.deliveryCount, 0);
    await receiver.completeMessage(message);
    assert.deepEqual(await receiver.peekMessages(1), []);
  },

  async batch(client, queue) {
    const sender = client.createSender(queue);
    const batch = await sender.createMessageBatch();
    assert.equal(batch.maxSizeInBytes, 256 * 1024);
    for (let index = 0; index < 20; index++) assert.ok(batch.tryAddMessage({ body: `n${index}` }));
    await sender.sendMessages(batch);
    const messages = await bodies(client.createReceiver(queue, { receiveMode: "receiveAndDelete" }), 20);
    assert.deepEqual(messages.map((message) => message.body), [...Array(20).keys()].map((index) => `n${index}`));
  },

  async abandon_counts(client, queue) {
    await client.createSender(queue).sendMessages({ body: "again" });
    const receiver = client.createReceiver(queue);
    const [first] = await bodies(receiver, 1);
    await receiver.abandonMessage(first, { attempt: 1 });
    const [second] = await bodies(receiver, 1);
    assert.equal(second.deliveryCount, 1);
    assert.equal(second.applicationProperties.attempt, 1);
    await receiver.completeMessage(second);
  },

  async dead_letter(client, queue) {
    await client.createSender(queue).sendMessages({ body: "poison" });
    const receiver = client.createReceiver(queue);
    const [message] = await bodies(receiver, 1);
    await receiver.deadLetterMessage(message, { deadLetterReason: "unreadable", deadLetterErrorDescription: "why" });
    const dead = client.createReceiver(queue, { subQueueType: "deadLetter" });
    const [found] = await bodies(dead, 1);
    assert.equal(found.body, "poison");
    assert.equal(found.deadLetterReason, "unreadable");
    assert.equal(found.deadLetterErrorDescription, "why");
    await dead.completeMessage(found);
  },

  async defer(client, queue) {
    await client.createSender(queue).sendMessages({ body: "later" });
    const receiver = client.createReceiver(queue);
    const [message] = await bodies(receiver, 1);
    await receiver.deferMessage(message);
    const [deferred] = await receiver.receiveDeferredMessages(message.sequenceNumber);
    assert.equal(deferred.body, "later");
    assert.equal(deferred.state, "deferred");
    await receiver.completeMessage(deferred);
    await assert.rejects(receiver.receiveDeferredMessages(message.sequenceNumber), { code: "MessageNotFound" });
  },

  async schedule_and_cancel(client, queue) {
    const sender = client.createSender(queue);
    const [kept] = await sender.scheduleMessages({ body: "soon" }, new Date(Date.now() + 500));
    const [dropped] = await sender.scheduleMessages({ body: "never" }, new Date(Date.now() + 500));
    await sender.cancelScheduledMessages(dropped);
    assert.ok(kept.greaterThan(0));
    const receiver = client.createReceiver(queue, { receiveMode: "receiveAndDelete" });
    const messages = await receiver.receiveMessages(2, { maxWaitTimeInMs: 2000 });
    assert.deepEqual(messages.map((message) => message.body), ["soon"]);
  },

  async renew_lock(client, queue) {
    await client.createSender(queue).sendMessages({ body: "slow" });
    const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
    const [message] = await bodies(receiver, 1);
    const until = await receiver.renewMessageLock(message);
    assert.ok(until > Date.now() + 30_000);
    await receiver.completeMessage(message);
  },

  async session_with_state(client, queue) {
    await client.createSender(queue).sendMessages([
      { body: 1, sessionId: "a" },
      { body: 2, sessionId: "a" },
      { body: 3, sessionId: "b" },
    ]);
    const receiver = await client.acceptSession(queue, "a");
    assert.equal(receiver.sessionId, "a");
    const messages = await bodies(receiver, 2);
    assert.deepEqual(messages.map((message) => message.body), [1, 2]);
    await receiver.setSessionState({ step: 7 });
    assert.deepEqual(await receiver.getSessionState(), { step: 7 });
    assert.ok((await receiver.renewSessionLock()) > Date.now());
    for (const message of messages) await receiver.completeMessage(message);
    await assert.rejects(client.acceptSession(queue, "a"), { code: "SessionCannotBeLocked" });
    await receiver.close();
    const next = await client.acceptNextSession(queue);
    assert.equal(next.sessionId, "b");
    await next.close();
  },

  async no_session_available(client, queue) {
    await assert.rejects(
      client.acceptNextSession(queue, { maxAutoLockRenewalDurationInMs: 0 }),
      (error) => error instanceof ServiceBusError && error.code === "ServiceTimeout",
    );
  },

  async subscribe(client, queue) {
    const receiver = client.createReceiver(queue);
    const seen = [];
    const done = new Promise((resolve, reject) => {
      receiver.subscribe({
        processMessage: async (message) => {
          seen.push(message.body);
          if (seen.length === 50) resolve();
        },
        processError: async (details) => reject(details.error),
      });
    });
    const sender = client.createSender(queue);
    for (let index = 0; index < 50; index++) await sender.sendMessages({ body: index });
    await done;
    await receiver.close();
    assert.deepEqual([...seen].sort((left, right) => left - right), [...Array(50).keys()]);
  },

  async large_message(client, queue) {
    const body = "x".repeat(200_000);
    await client.createSender(queue).sendMessages({ body });
    const [message] = await bodies(client.createReceiver(queue, { receiveMode: "receiveAndDelete" }), 1);
    assert.equal(message.body, body);
  },

  async missing_queue(client) {
    await assert.rejects(client.createSender("no-such-queue").sendMessages({ body: "x" }), {
      code: "MessagingEntityNotFound",
    });
  },
};

async function run(name, scenario) {
  const client = new ServiceBusClient(connectionString, {
    retryOptions: { maxRetries: 0, timeoutInMs: name === "no_session_available" ? 2000 : 15_000 },
  });
  try {
    await scenario(client, queues[name]);
    return "passed";
  } catch (error) {
    return error.stack;
  } finally {
    await client.close();
  }
}

const names = Object.keys(queues);
const results = await Promise.all(names.map((name) => run(name, scenarios[name])));
console.log(JSON.stringify(Object.fromEntries(names.map((name, index) => [name, results[index]]))));
process.exit(0);
