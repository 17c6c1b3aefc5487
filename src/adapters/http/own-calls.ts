import { embeddedOf } from '../../model/embedded.ts'
import { DEFAULT_LIST_LIMIT } from '../../model/options.ts'
import type { CallPage, ListOptions, Runner } from '../../model/runner.ts'

/** Pages of a runner elsewhere that are looked through for one page of some of its calls. */
const MOST_PAGES = 20

/** A page of some of a runner's calls. It can be short of `limit` where the runner is not an embedded one. */
export async function listAmong(
  runner: Runner,
  options: ListOptions,
  isListed: (id: string) => boolean,
): Promise<CallPage> {
  return embeddedOf(runner)?.listAmong(options, isListed) ?? lookThrough(runner, options, isListed)
}

async function lookThrough(
  runner: Runner,
  { limit = DEFAULT_LIST_LIMIT, ...filter }: ListOptions,
  isListed: (id: string) => boolean,
): Promise<CallPage> {
  const found: CallPage = { calls: [] }
  let { cursor } = filter
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const left = limit - found.calls.length
    const page = await runner.list({ ...filter, limit: left, ...(cursor !== undefined && { cursor }) })
    found.calls.push(...page.calls.filter(({ id }) => isListed(id)))
    ;({ cursor } = page)
    if (cursor === undefined || found.calls.length === limit) break
  }
  return cursor === undefined ? found : { ...found, cursor }
}
