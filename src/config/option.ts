import { Type } from 'typebox'

/** The kinds of options. */
export const flag = (description: string, value = false) =>
  Type.Boolean({ default: value, description })

export const choice = <const Word extends string>(
  words: Word[],
  value: NoInfer<Word>,
  description: string,
) => Type.Enum(words, { default: value, description })

export const whole = (minimum: number, maximum: number, value: number, description: string) =>
  Type.Integer({ minimum, maximum, default: value, description })

export const list = (allowed: string, pattern: string, value: string[], description: string) =>
  Type.Array(Type.String({ pattern }), { default: value, description, allowed })
