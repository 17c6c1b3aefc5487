// What has to happen in one step, as Redis scripts. They know BullMQ's keys, as far as their names say what they hold:
// `wait`, `prioritized`, `delayed`, `paused` and `active` jobs, those that `completed` and `failed`, the `events`, and for
// each job its hash and its `:lock`. All keys of a queue begin alike; KEYS[1] is that beginning.

/** In all of them. */
const COMMON = `
local base = KEYS[1]
local function key(name) return base .. name end
local function own(name) return base .. 'coatcheck:' .. name end

-- Unix time in milliseconds, with decimals.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
end

-- Takes a job out of all places where a machine would take it from.
local function takeWaiting(id)
  return redis.call('ZREM', key('prioritized'), id) + redis.call('ZREM', key('delayed'), id)
    + redis.call('LREM', key('wait'), 1, id) + redis.call('LREM', key('paused'), 1, id) > 0
end

local function remove(id)
  local job = key(id)
  local keyed = string.match(redis.call('HGET', job, 'opts') or '', '"keyed":"(%x+)"')
  if keyed then redis.call('DEL', own('key:' .. keyed)) end
  redis.call('ZREM', key('completed'), id)
  redis.call('ZREM', key('failed'), id)
  redis.call('ZREM', own('calls'), id)
  redis.call('DEL', job, job .. ':logs', job .. ':lock')
end

-- Nobody was told of it: it has no key, and no lock any more.
local function settle(id)
  local state = redis.call('HMGET', key(id), 'finishedOn', 'told')
  if not state[1] or state[2] then return 0 end
  if redis.call('ZREM', key('completed'), id) == 0 then redis.call('ZREM', key('failed'), id) end
  redis.call('ZREM', own('calls'), id)
  redis.call('DEL', key(id), key(id) .. ':logs')
  return 1
end

local function isHeldBy(id, token)
  return redis.call('GET', key(id) .. ':lock') == token
end

-- How many machines serve the queue. Those that were not heard of are taken off.
local function countServers()
  local count, time = 0, now()
  local all = redis.call('HGETALL', own('servers'))
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], ':(%d+)')) > time then count = count + 1
    else redis.call('HDEL', own('servers'), all[i]) end
  end
  return count
end

-- By how many calls there are more under way than there may be; 0 and less where there is room.
local function excess(limit)
  local places = limit
  local time = now()
  for _, place in ipairs(redis.call('HVALS', own('servers'))) do
    local capacity, till = string.match(place, '^(%d+):(%d+)')
    if tonumber(till) > time then places = places + tonumber(capacity) end
  end
  local underWay = redis.call('ZCARD', key('prioritized')) + redis.call('LLEN', key('active'))
    + redis.call('ZCARD', key('delayed')) + redis.call('LLEN', key('wait')) + redis.call('LLEN', key('paused'))
  return underWay - places
end
`

/**
 * Hands a call in, as BullMQ adds a job with a priority, but without an event: every client would read it. And puts it on the list of all calls after those that are on it.
 * After that it drops the finished calls that come next: their ends have been told to the only ones who knew of them.
 * 0: there is no room for it. 1: it is there; also when it was before, because the answer to that did not arrive. Or the
 * call that is there by the same idempotency key, and its digest.
 */
const handIn = `
local id, name, data, opts, timestamp, priority = unpack(ARGV, 1, 6)
local score, limit, keyed, digest = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10]
local function handIn()
  local job, owner = key(id), own('key:' .. keyed)
  if redis.call('EXISTS', job) == 1 then return 1 end
  local held = keyed ~= '' and redis.call('HMGET', owner, 'id', 'digest')
  if held and held[1] and redis.call('EXISTS', key(held[1])) == 1 then return held end
  -- There are no more under way than are on the list.
  if redis.call('ZCARD', own('calls')) >= limit and excess(limit) >= 0 then return 0 end
  redis.call('HSET', job, 'name', name, 'data', data, 'opts', opts, 'timestamp', timestamp, 'delay', 0, 'priority', priority)
  if keyed ~= '' then redis.call('HSET', owner, 'id', id, 'digest', digest) end
  local count = redis.call('INCR', key('pc'))
  redis.call('ZADD', key('prioritized'), string.format('%.0f', priority * 4294967296 + count % 4294967296), id)
  local last = redis.call('ZREVRANGE', own('calls'), 0, 0, 'WITHSCORES')
  if last[2] and tonumber(last[2]) >= score then score = tonumber(last[2]) + 1 end
  redis.call('ZADD', own('calls'), string.format('%.0f', score), id)
  -- Wakes a machine that waits, unless none is to take anything.
  local queue = redis.call('HMGET', key('meta'), 'paused', 'concurrency')
  local isMaxed = queue[2] and redis.call('LLEN', key('active')) >= tonumber(queue[2])
  if not queue[1] and not isMaxed then redis.call('ZADD', key('marker'), 0, '0') end
  return 1
end
local answer = handIn()
-- Not before: where the memory is full, Redis refuses a script at its first write, and lets it write more after that.
for i = 11, #ARGV do settle(ARGV[i]) end
return answer
`

const room = `
return excess(tonumber(ARGV[1])) < 0 and 1 or 0
`

/**
 * Ends a call that waits, as failed; otherwise leaves word for the machine that has it. A call that has begun once is left
 * to those who take it up: they know what that means.
 */
const cancel = `
local id, reason, grace, failure, text = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job = key(id)
local state = redis.call('HMGET', job, 'name', 'finishedOn', 'ats', 'returned')
if not state[1] then return 'gone' end
if state[2] then return 'finished' end
local begun = tonumber(state[3] or '0') - tonumber(state[4] or '0')
if begun <= 0 and takeWaiting(id) then
  local time = string.format('%.0f', now())
  redis.call('HSET', job, 'failedReason', text, 'finishedOn', time, 'outcome', failure)
  redis.call('ZADD', key('failed'), time, id)
  redis.call('XADD', key('events'), '*', 'event', 'failed', 'jobId', id, 'failedReason', text, 'prev', 'waiting')
  return 'dropped'
end
redis.call('HSETNX', job, 'cancel', reason)
if grace ~= '' then
  local before = redis.call('HGET', job, 'cancelGrace')
  if not before or tonumber(grace) < tonumber(before) then redis.call('HSET', job, 'cancelGrace', grace) end
end
redis.call('PUBLISH', own('cancel'), cjson.encode({ id = id, reason = reason, grace = grace }))
return 'sent'
`

/** Writes a field of a job, if the lock on it is still held. Also when the memory is full: after a write that frees some. */
const write = `
local id, token, field, text = unpack(ARGV)
if not isHeldBy(id, token) then return 0 end
redis.call('HDEL', key(id), field)
redis.call('HSET', key(id), field, text)
return 1
`

/** Tells that the function of a call has begun. */
const begun = `
local id, token, time = ARGV[1], ARGV[2], ARGV[3]
if not isHeldBy(id, token) then return 0 end
redis.call('HSET', key(id), 'begun', redis.call('HGET', key(id), 'ats') .. ':' .. time)
redis.call('XADD', key('events'), '*', 'event', 'coatcheck-begun', 'jobId', id, 'startedAt', time)
return 1
`

/** Tells what a call reports of its progress, as BullMQ does it. */
const progress = `
local id, token, value = ARGV[1], ARGV[2], ARGV[3]
if not isHeldBy(id, token) then return 0 end
redis.call('HSET', key(id), 'progress', value)
redis.call('XADD', key('events'), '*', 'event', 'progress', 'jobId', id, 'data', value)
return 1
`

/** Counts that a call is given back that has not begun. */
const giveBack = `
local id, token = ARGV[1], ARGV[2]
if not isHeldBy(id, token) then return 0 end
redis.call('HINCRBY', key(id), 'returned', 1)
return 1
`

/** Drops finished calls. */
const forget = `
local answers = {}
for i, id in ipairs(ARGV) do
  local state = redis.call('HMGET', key(id), 'name', 'finishedOn')
  answers[i] = state[1] and (state[2] and 1 or -1) or 0
  if answers[i] == 1 then remove(id) end
end
return answers
`

/** Drops finished calls, but not those that somebody was told of by a list. */
const settled = `
for _, id in ipairs(ARGV) do settle(id) end
return 1
`

/** Rows of the list of all calls, after a score. What is on it has been told. */
const page = `
local after, limit, state, fn = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local rows = {}
while #rows < limit do
  local some = redis.call('ZRANGEBYSCORE', own('calls'), '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, 200)
  if #some == 0 then break end
  for i = 1, #some, 2 do
    local id = some[i]
    after = some[i + 1]
    local job = redis.call('HMGET', key(id), 'name', 'opts', 'finishedOn', 'returnvalue', 'outcome', 'begun', 'ats',
      'progress', 'told')
    local isRunning = job[6] and not job[3] and string.match(job[6], '^%d+') == job[7]
    local its = job[3] and 'finished' or (isRunning and 'running' or 'queued')
    if job[1] and (state == '' or state == its) and (fn == '' or fn == job[1]) then
      if not job[9] then redis.call('HSET', key(id), 'told', 1) end
      rows[#rows + 1] = { id, after, job[1], job[2], its, job[3] or '', job[4] and 1 or 0,
        string.sub(job[4] or job[5] or '', 1, 100), isRunning and job[6] or '', job[8] or '' }
      if #rows == limit then break end
    end
  end
end
return rows
`

/**
 * Drops calls that nobody can ask for any more, of those that ended at the given places of their order, and entries of
 * the list whose jobs are gone. For calls whose own clients are gone. ARGV[3]: milliseconds that clocks may differ by;
 * ARGV[4] and [5]: where between 0 and which end the priorities of new jobs are now.
 */
const sweep = `
local from, count, slack = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = now()
local dropped, most = 0, 0
for _, ended in ipairs({'completed', 'failed'}) do
  most = math.max(most, redis.call('ZCARD', key(ended)))
  for _, id in ipairs(redis.call('ZRANGE', key(ended), from, from + count - 1)) do
    local job = redis.call('HMGET', key(id), 'opts', 'finishedOn')
    local retain = job[1] and cjson.decode(job[1]).retain
    if type(retain) == 'number' and tonumber(job[2]) + retain + slack < time then
      remove(id)
      dropped = dropped + 1
    end
  end
end
local before = string.format('%.0f', math.floor((time - slack) * 1000) - 1577836800000000)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', own('calls'), '-inf', before, 'LIMIT', from, count)) do
  if redis.call('EXISTS', key(id)) == 0 then redis.call('ZREM', own('calls'), id) end
end
-- Priorities have begun anew: those from before stand behind all new ones, and belong before them.
local turn, span = tonumber(ARGV[4]), tonumber(ARGV[5]) * 4294967296
if turn < tonumber(ARGV[5]) / 2 then
  local old = redis.call('ZRANGEBYSCORE', key('prioritized'), span / 2, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
  for i = 1, #old, 2 do redis.call('ZADD', key('prioritized'), string.format('%.0f', old[i + 1] - span), old[i]) end
end
return {dropped, most > from + count and 0 or 1}
`

/** Says that a machine serves the queue, with how many places, for so many milliseconds from now. */
const serve = `
countServers()
redis.call('HSET', own('servers'), ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now() + tonumber(ARGV[3])))
return 1
`

/** How many machines serve the queue. */
const servers = `
return countServers()
`

export const SCRIPTS = {
  handIn,
  room,
  cancel,
  write,
  begun,
  progress,
  giveBack,
  forget,
  settled,
  page,
  sweep,
  serve,
  servers,
} as const

export type ScriptName = keyof typeof SCRIPTS

export function sourceOf(name: ScriptName): string {
  return COMMON + SCRIPTS[name]
}
