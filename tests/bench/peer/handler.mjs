// One webhook with the official libraries: verified by stripe's, once by Powertools', written by
// AWS's.
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import Stripe from "stripe";

const stripe = new Stripe("sk_test_bench");
const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client, {
  marshallOptions: { removeUndefinedValues: true },
});
const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: process.env.TABLE,
  awsSdkV3Client: client,
});

const record = makeIdempotent(
  async (event) => {
    const subscription = event.data.object;
    await documents.send(
      new PutCommand({
        TableName: process.env.TABLE,
        Item: {
          id: `subscription#${subscription.id}`,
          status: subscription.status,
          customer: subscription.customer,
          updated: event.created,
        },
      }),
    );
    return { applied: 1 };
  },
  {
    persistenceStore,
    config: new IdempotencyConfig({ eventKeyJmesPath: "id" }),
  },
);

export async function handler(request, context) {
  let event;
  try {
    event = stripe.webhooks.constructEvent(
      request.body,
      request.headers["stripe-signature"],
      process.env.WEBHOOK_SECRET,
    );
  } catch (error) {
    console.log(JSON.stringify({ level: "WARN", message: "refused", why: error.message }));
    return { statusCode: 401, body: "" };
  }
  const answer = await record(event, context);
  console.log(JSON.stringify({ level: "INFO", kind: event.type, verdict: "applied" }));
  return { statusCode: 200, body: JSON.stringify(answer) };
}
