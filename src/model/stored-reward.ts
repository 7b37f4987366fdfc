/**
 * @file How an implicit reward is made of log-probabilities, as checkpoints tell it: in config.json under
 * `rmtrain_reward`, in an adapter's header beside its base. It names its reference by what the reference's files hold.
 */
import { z } from "zod";
import { InputError } from "../errors.ts";

/** The key in config.json. */
export const REWARD_KEY = "rmtrain_reward";

// Strict: a key that this version does not know may change what the reward means.
const schema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("implicit"),
  form: z.string(),
  beta: z.number().positive(),
  reference: z.strictObject({ name: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
});

export interface StoredReward {
  /** A form's name; see train/rewards/implicit-form.ts. */
  readonly form: string;
  readonly beta: number;
  /** Undefined where the form has none. */
  readonly reference?: {
    /** The folder, as it was called in training. */
    readonly name: string;
    /** `hashBase` with the vocabulary head. */
    readonly sha256: string;
  };
}

/** The plain JSON that a checkpoint takes. */
export function serialiseReward({ form, beta, reference }: StoredReward): Record<string, unknown> {
  return { version: 1, kind: "implicit", form, beta, ...(reference && { reference: { ...reference } }) };
}

/**
 * @param given what the checkpoint has; undefined: nothing
 * @throws InputError where it is there but can't be followed
 */
export function parseReward(given: unknown, where: string): StoredReward | undefined {
  if (given === undefined) return undefined;
  const result = schema.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new InputError(
      `${where}: ${[REWARD_KEY, ...(issue?.path ?? [])].join(".")}: ${issue?.message}; was it written by another version of rmtrain?`,
    );
  }
  const { form, beta, reference } = result.data;
  return { form, beta, ...(reference && { reference }) };
}
