// `any`, not `unknown`: parameters are contravariant, so no narrower type lets every function in.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyFunction = (...args: any[]) => unknown

/** A functions module whose names and types are not known: every name and every argument compiles. */
export type AnyFunctions = Record<string, AnyFunction>

/** The names of a module's functions. `default` is none. */
export type FunctionName<F> = {
  [K in keyof F]: K extends 'default' ? never : F[K] extends AnyFunction ? K : never
}[keyof F] &
  string

export type FunctionArgs<F, K extends keyof F> = F[K] extends (...args: infer A) => unknown ? Readonly<A> : never

/** What a call of the function gives: its return value, awaited. */
export type FunctionValue<F, K extends keyof F> = F[K] extends (...args: never[]) => infer R ? Awaited<R> : never
