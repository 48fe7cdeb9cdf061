// The JavaScript SDK against a local account: node basics.mjs URL KEY
import assert from "node:assert/strict";
import { CosmosClient } from "@azure/cosmos";

const [endpoint, key] = process.argv.slice(2);
const client = new CosmosClient({ endpoint, key });
const { database } = await client.databases.createIfNotExists({ id: "javascript" });

const checks = {
  async "items live through create, read, replace, patch and delete"(container) {
    const { resource: created } = await container.items.create({ id: "a", pk: "p", n: 1 });
    const item = container.item("a", "p");
    assert.deepEqual((await item.read()).resource, created);
    assert.equal((await item.replace({ id: "a", pk: "p", n: 2 })).resource.n, 2);
    const operations = [{ op: "incr", path: "/n", value: 3 }];
    const { resource: patched } = await item.patch({ condition: "from c where c.n = 2", operations });
    assert.equal(patched.n, 5);
    await assert.rejects(item.patch({ condition: "from c where c.n = 2", operations }), { code: 412 });
    await item.delete();
    assert.equal((await item.read()).statusCode, 404);
  },

  async "queries merge all partitions"(container) {
    for (let n = 0; n < 30; n++) {
      await container.items.create({ id: `${n}`, pk: `p${n % 6}`, n, k: n % 3 });
    }
    const all = async (query) => (await container.items.query(query).fetchAll()).resources;
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    assert.deepEqual(await all("SELECT VALUE c.n FROM c ORDER BY c.n"), numbers);
    assert.deepEqual(await all("SELECT TOP 3 VALUE c.n FROM c ORDER BY c.n DESC"), [29, 28, 27]);
    assert.deepEqual(await all("SELECT VALUE c.n FROM c ORDER BY c.n OFFSET 5 LIMIT 2"), [5, 6]);
    assert.deepEqual(await all("SELECT VALUE COUNT(1) FROM c"), [30]);
    assert.deepEqual(await all("SELECT VALUE MIN(c.n) FROM c"), [0]);
    assert.deepEqual(await all("SELECT VALUE MAX(c.n) FROM c"), [29]);
    assert.deepEqual(await all("SELECT VALUE AVG(c.n) FROM c"), [14.5]);
    assert.deepEqual((await all("SELECT DISTINCT VALUE c.pk FROM c")).sort(), ["p0", "p1", "p2", "p3", "p4", "p5"]);
    assert.equal((await all({ query: "SELECT * FROM c WHERE c.n < @n", parameters: [{ name: "@n", value: 4 }] })).length, 4);
  },

  async "groups are merged over all partitions"(container) {
    for (let n = 0; n < 30; n++) {
      await container.items.create({ id: `${n}`, pk: `p${n % 6}`, n, k: n % 3 });
    }
    const text = "SELECT c.k, COUNT(1) AS many, SUM(c.n) AS total, MIN(c.n) AS low, MAX(c.n) AS high, AVG(c.n) AS mean FROM c GROUP BY c.k";
    const { resources: rows } = await container.items.query(text).fetchAll();
    rows.sort((left, right) => left.k - right.k);
    assert.deepEqual(rows, [
      { k: 0, many: 10, total: 135, low: 0, high: 27, mean: 13.5 },
      { k: 1, many: 10, total: 145, low: 1, high: 28, mean: 14.5 },
      { k: 2, many: 10, total: 155, low: 2, high: 29, mean: 15.5 },
    ]);
    const { resources: totals } = await container.items.query("SELECT COUNT(1) AS many, MAX(c.n) AS high FROM c").fetchAll();
    assert.deepEqual(totals, [{ many: 30, high: 29 }]);
  },

  async "the most similar vectors come first"(container) {
    for (let n = 0; n < 12; n++) {
      await container.items.create({ id: `${n}`, pk: `p${n % 4}`, v: [1, n / 10] });
    }
    const text = "SELECT TOP 3 VALUE c.id FROM c ORDER BY VectorDistance(c.v, [1, 0.52])";
    assert.deepEqual((await container.items.query(text).fetchAll()).resources, ["5", "6", "4"]);
  },

  async "a batch does all or nothing"(container) {
    const operations = [
      { operationType: "Create", resourceBody: { id: "a", pk: "p" } },
      { operationType: "Create", resourceBody: { id: "a", pk: "p" } },
    ];
    const { result } = await container.items.batch(operations, "p");
    assert.deepEqual(result.map((one) => one.statusCode), [424, 409]);
    assert.equal((await container.items.batch(operations.slice(0, 1), "p")).result[0].statusCode, 201);
  },

  async "bulk operations go to many partitions"(container) {
    const operations = Array.from({ length: 40 }, (_, n) => ({
      operationType: "Create",
      partitionKey: `p${n % 8}`,
      resourceBody: { id: `${n}`, pk: `p${n % 8}` },
    }));
    const results = await container.items.executeBulkOperations(operations);
    assert.deepEqual(new Set(results.map((one) => one.response.statusCode)), new Set([201]));
    assert.equal((await container.items.readAll().fetchAll()).resources.length, 40);
  },

  async "the change feed is read to its end and then goes on"(container) {
    await container.items.create({ id: "a", pk: "p" });
    await container.items.create({ id: "b", pk: "q" });
    const { ChangeFeedStartFrom } = await import("@azure/cosmos");
    const feed = container.items.getChangeFeedIterator({ changeFeedStartFrom: ChangeFeedStartFrom.Beginning() });
    const seen = [];
    while (feed.hasMoreResults) {
      const page = await feed.readNext();
      if (page.statusCode === 304) break;
      seen.push(...page.result.map((item) => item.id));
    }
    assert.deepEqual(seen.sort(), ["a", "b"]);
  },

  async "hierarchical keys are found whole and by prefix"() {
    const { container } = await database.containers.create({
      id: `tree-${Date.now()}`,
      partitionKey: { paths: ["/a", "/b"], kind: "MultiHash", version: 2 },
    });
    for (let n = 0; n < 8; n++) {
      await container.items.create({ id: `${n}`, a: `a${n % 2}`, b: `b${n % 4}` });
    }
    assert.equal((await container.item("3", ["a1", "b3"]).read()).resource.id, "3");
    const { resources } = await container.items.query("SELECT * FROM c", { partitionKey: ["a1"] }).fetchAll();
    assert.equal(resources.length, 4);
  },
};

let failed = 0;
for (const [place, [name, check]] of Object.entries(checks).entries()) {
  const { container } = await database.containers.create({ id: `c${place}-${Date.now()}`, partitionKey: "/pk" });
  try {
    await check(container);
    console.log(`ok ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${name}\n${error.stack ?? JSON.stringify(error)}`);
  }
}
await database.delete();
process.exit(failed ? 1 : 0);
