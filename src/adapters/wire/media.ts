/** Plain JSON: for curl, and for other languages. What it cannot carry is refused, never dropped. */
export const JSON_TYPE = 'application/json'

/** The same envelopes, whose values travel in devalue's flattened form: all that structured clone knows. */
export const RICH_TYPE = 'application/vnd.coatcheck+json'

/** Problem details, RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json'

export const EVENTS_TYPE = 'text/event-stream'

/** How values are written inside an envelope. */
export type Form = 'plain' | 'rich'

export const TYPE_OF: Readonly<Record<Form, string>> = { plain: JSON_TYPE, rich: RICH_TYPE }

/** The form that a `Content-Type` names; undefined for another type. */
export function formOfContent(contentType: string | undefined): Form | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === JSON_TYPE) return 'plain'
  return type === RICH_TYPE ? 'rich' : undefined
}

/**
 * The form that an `Accept` header asks for: plain where it takes anything, undefined where it takes neither. Beside
 * `text/event-stream` it says how the values inside the events are written.
 */
export function formOfAccept(accept: string | undefined): Form | undefined {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === JSON_TYPE) return 'plain'
  if (accept === RICH_TYPE) return 'rich'
  const weights = readAccept(accept)
  const [plain, rich] = [weightOf(JSON_TYPE, weights), weights.get(RICH_TYPE) ?? 0]
  if (rich > 0 && rich >= plain) return 'rich'
  return plain > 0 ? 'plain' : undefined
}

/** Whether an `Accept` header takes a type. */
export function accepts(accept: string | undefined, type: string): boolean {
  return accept === undefined || accept === '' || weightOf(type, readAccept(accept)) > 0
}

function weightOf(type: string, weights: ReadonlyMap<string, number>): number {
  const range = `${type.slice(0, type.indexOf('/'))}/*`
  return weights.get(type) ?? weights.get(range) ?? weights.get('*/*') ?? 0
}

function readAccept(accept: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    const weight = q === undefined ? 1 : Number(q.slice(2))
    if (weight >= 0) weights.set(type, weight)
  }
  return weights
}
