-- Reads that must see one moment. ARGV: what to read, the job's id, arguments as JSON.
local what, id = ARGV[1], ARGV[2]
local a = cjson.decode(ARGV[3])

local function snapshot(job)
  local hash = redis.call('HGETALL', 'job:' .. job)
  if #hash == 0 then return { hash, 0 } end
  local queue = redis.call('HGET', 'job:' .. job, 'queue')
  local rank = redis.call('ZRANK', 'queue:' .. (queue or ''), job)
  return { hash, rank and rank + 1 or 0 }
end

local function listed(key, jobs)
  local out = {}
  for _, job in ipairs(jobs) do
    local found = snapshot(job)
    if #found[1] == 0 then redis.call('ZREM', key, job) else out[#out + 1] = found end
  end
  return out
end

if what == 'snapshot' then return snapshot(id) end

if what == 'manifest' then return redis.call('GET', 'job:' .. id .. ':manifest') end

if what == 'catchup' then
  local found = snapshot(id)
  if a.after == nil or a.after == cjson.null or #found[1] == 0 then return { found, 'snapshot', {} } end
  local seq = tonumber(redis.call('HGET', 'job:' .. id, 'seq'))
  local epoch = tonumber(redis.call('HGET', 'job:' .. id, 'epoch'))
  if a.epoch ~= nil and a.epoch ~= cjson.null and a.epoch ~= epoch then return { found, 'epoch', {} } end
  if a.after > seq then return { found, 'ahead', {} } end
  local events = {}
  for _, entry in ipairs(redis.call('XRANGE', 'job:' .. id .. ':events', (a.after + 1) .. '-0', '+')) do
    events[#events + 1] = entry[2][2]
  end
  if #events ~= seq - a.after then return { found, 'trimmed', {} } end
  return { found, 'recovered', events }
end

if what == 'list' then
  -- Newest first, after the place `score id` of `before`; jobs of the same score go by id. Returns the found and
  -- the place to go on from, empty at the end.
  local score, last = string.match(a.before, '^(%S+) (%S+)$')
  local out, place, skip = {}, '', 0
  while #out < a.limit do
    local page = redis.call('ZREVRANGEBYSCORE', a.key, score or '+inf', '-inf', 'WITHSCORES', 'LIMIT', skip, 100)
    if #page == 0 then return { out, '' } end
    for n = 1, #page, 2 do
      local job = page[n]
      skip = skip + 1
      if not (last and page[n + 1] == score and job >= last) then
        local found = snapshot(job)
        if #found[1] == 0 then
          redis.call('ZREM', a.key, job)
          skip = skip - 1
        elseif a.state == '' or redis.call('HGET', 'job:' .. job, 'state') == a.state then
          out[#out + 1], place = found, page[n + 1] .. ' ' .. job
          if #out == a.limit then break end
        end
      end
    end
  end
  return { out, place }
end

if what == 'load' then
  -- Of each active job state, queue, worker and owner: what is asked for often, of many.
  local out = {}
  for n, job in ipairs(redis.call('ZRANGE', 'active-jobs', 0, -1)) do
    local fields = redis.call('HMGET', 'job:' .. job, 'state', 'queue', 'worker', 'owner')
    out[n] = { job, fields[1] or '', fields[2] or '', fields[3] or '', fields[4] or '' }
  end
  return out
end

if what == 'untended' then
  -- Jobs that wait, whose lease is gone, or that have reported nothing for long; one call, however many jobs run.
  local time = redis.call('TIME')
  local since = tonumber(time[1]) + tonumber(time[2]) / 1000000 - a.stalled_seconds
  local found = {}
  for _, job in ipairs(redis.call('ZRANGE', 'active-jobs', 0, -1)) do
    local state, reported_at, health = unpack(redis.call('HMGET', 'job:' .. job, 'state', 'reported_at', 'health'))
    local is_silent = state and health == 'ok' and tonumber(reported_at) <= since
    if not state or state == 'queued' or is_silent or redis.call('EXISTS', 'job:' .. job .. ':lease') == 0 then
      found[#found + 1] = job
    end
  end
  return listed('active-jobs', found)
end

if what == 'seqs' then
  local out = {}
  for n, job in ipairs(a.jobs) do
    local both = redis.call('HMGET', 'job:' .. job, 'epoch', 'seq')
    out[n] = { both[1] or '', both[2] or '' }
  end
  return out
end

if what == 'delete' then
  local state = redis.call('HGET', 'job:' .. id, 'state')
  if not state then return 'gone' end
  if state ~= 'succeeded' and state ~= 'failed' and state ~= 'cancelled' then return 'running' end
  redis.call('ZREM', 'jobs:' .. redis.call('HGET', 'job:' .. id, 'owner'), id)
  redis.call('ZREM', 'all-jobs', id)
  redis.call('ZREM', 'session:' .. redis.call('HGET', 'job:' .. id, 'sid'), id)
  local key = 'job:' .. id
  redis.call('DEL', key, key .. ':events', key .. ':manifest', key .. ':log', key .. ':cancel', key .. ':lease')
  return 'deleted'
end

return redis.error_reply('unknown read ' .. what)
