-- Every change of a job, all of it or nothing: the snapshot (a hash), the event (a stream) and the wake-up (PUBLISH).
-- ARGV: what to do, the job's id, the arguments as JSON. Returns {status, detail, hash as a flat list, queue position}.
-- A write with another attempt's token is refused ("stale"); so is any change after a final state ("final").
local what, id = ARGV[1], ARGV[2]
local a = cjson.decode(ARGV[3])
local K = {
  job = 'job:' .. id, events = 'job:' .. id .. ':events', lease = 'job:' .. id .. ':lease',
  cancel = 'job:' .. id .. ':cancel', manifest = 'job:' .. id .. ':manifest', log = 'job:' .. id .. ':log',
  active = 'active-jobs',
}
local FINAL = { succeeded = true, failed = true, cancelled = true }
local time = redis.call('TIME')
local now = string.format('%.3f', tonumber(time[1]) + tonumber(time[2]) / 1000000)

local function get(field) return redis.call('HGET', K.job, field) or '' end

local function set(fields)
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = tostring(value)
  end
  redis.call('HSET', K.job, unpack(flat))
end

local function position()
  local rank = redis.call('ZRANK', 'queue:' .. get('queue'), id)
  return rank and rank + 1 or 0
end

local function answer(status, detail)
  return { status, tostring(detail or ''), redis.call('HGETALL', K.job), position() }
end

local function number(text)
  if text == nil or text == '' then return cjson.null end
  return tonumber(text)
end

local function emit(kind, result)
  local seq = redis.call('HINCRBY', K.job, 'seq', 1)
  local r = {}
  local flat = redis.call('HMGET', K.job, 'epoch', 'attempt', 'state', 'stage', 'message', 'fraction', 'done', 'total',
    'eta_seconds', 'health', 'sid', 'worker')
  local event = {
    job = id, seq = seq, epoch = number(flat[1]), attempt = number(flat[2]), kind = kind, state = flat[3],
    stage = flat[4] or '', message = flat[5] or '', fraction = number(flat[6]), done = number(flat[7]),
    total = number(flat[8]), eta_seconds = number(flat[9]), health = flat[10], at = tonumber(now),
  }
  if flat[3] == 'queued' then event.queue_position = position() end
  if kind == 'state' and flat[12] and flat[12] ~= '' then event.worker = flat[12] end
  local text = cjson.encode(event)
  if result and result ~= '' then text = string.sub(text, 1, -2) .. ',"result":' .. result .. '}' end
  redis.call('XADD', K.events, 'MAXLEN', '~', a.stream_length or 1000, seq .. '-0', 'e', text)
  redis.call('PUBLISH', 'progress:' .. (flat[11] or '') .. ':' .. id, text)
  return seq
end

local function enqueue(message)
  set({ state = 'queued', stage = '', message = message, fraction = '', done = '', total = '', eta_seconds = '',
    worker = '', dispatched_at = '' })
  redis.call('ZADD', 'queue:' .. get('queue'), get('created_at'), id)
end

local function close(state, message, result, result_event)
  local fields = { state = state, stage = '', message = message, eta_seconds = '', finished_at = now, result = result }
  if state == 'succeeded' then fields.fraction = '1' end
  if state ~= 'failed' then fields.health = 'ok' end
  set(fields)
  redis.call('ZREM', K.active, id)
  redis.call('ZREM', 'queue:' .. get('queue'), id)
  redis.call('DEL', K.lease, K.cancel)
  emit('state', result_event or result)
  local keep = a.retention_seconds or 604800
  for _, key in ipairs({ K.job, K.events, K.manifest, K.log }) do redis.call('EXPIRE', key, keep) end
end

local function failure(kind, detail)
  return cjson.encode({ error = { kind = kind, detail = detail } })
end

-- The lease is gone although nobody ended the job: its worker is lost.
local function recover()
  local attempt, most = tonumber(get('attempt')), tonumber(get('max_attempts'))
  if get('state') == 'cancelling' then
    close('cancelled', 'Cancelled; its worker was lost meanwhile', failure('cancelled', 'Cancelled.'))
    return 'gave_up'
  end
  if attempt >= most then
    local text = string.format('The worker was lost %d times in a row; an administrator finds why in its log', attempt)
    set({ health = 'worker_lost' })
    close('failed', text, failure('worker_lost', text .. '.'))
    return 'gave_up'
  end
  set({ health = 'worker_lost' })
  enqueue(string.format('Worker lost, attempt %d of %d', attempt + 1, most))
  emit('state')
  return 'requeued'
end

if what == 'create' then
  if a.idempotency and a.idempotency ~= '' then
    local found = redis.call('GET', a.idempotency)
    if found and redis.call('EXISTS', 'job:' .. found) == 1 then
      return { 'existed', found, redis.call('HGETALL', 'job:' .. found), 0 }
    end
    redis.call('SET', a.idempotency, id, 'EX', a.retention_seconds or 604800)
  end
  if redis.call('EXISTS', K.job) == 1 then return answer('existed', id) end
  set(a.fields)
  set({ state = 'queued', seq = 0, attempt = 0, health = 'ok', created_at = now, reported_at = now,
    epoch = string.format('%d', tonumber(now)) })
  redis.call('SET', K.manifest, a.manifest)
  redis.call('ZADD', K.active, now, id)
  redis.call('ZADD', 'queue:' .. get('queue'), now, id)
  redis.call('ZADD', 'jobs:' .. get('owner'), now, id)
  redis.call('ZADD', 'all-jobs', now, id)
  redis.call('ZREMRANGEBYRANK', 'all-jobs', 0, -100001)
  redis.call('ZADD', 'session:' .. get('sid'), now, id)
  redis.call('EXPIRE', 'session:' .. get('sid'), 2592000)
  emit('state')
  return answer('created')
end

local state = get('state')
if state == '' then return { 'refused', 'gone', {}, 0 } end

if what == 'cancel' then
  if FINAL[state] then return answer('ok') end
  if state == 'queued' then
    close('cancelled', 'Cancelled', failure('cancelled', 'Cancelled by ' .. a.by .. '.'))
  elseif state ~= 'cancelling' then
    set({ state = 'cancelling', message = 'Cancelling' })
    redis.call('SET', K.cancel, a.by)
    emit('state')
    redis.call('PUBLISH', 'control:' .. id, 'cancel')
  end
  return answer('ok')
end

if FINAL[state] then return answer('refused', 'final') end

if what == 'lease' then
  if state ~= 'queued' then
    if redis.call('EXISTS', K.lease) == 1 then return answer('refused', 'leased') end
    if recover() == 'gave_up' then return answer('refused', 'exhausted') end
  end
  redis.call('SET', K.lease, a.token, 'PX', a.lease_ms)
  redis.call('ZREM', 'queue:' .. get('queue'), id)
  redis.call('HINCRBY', K.job, 'attempt', 1)
  local attempt, message = tonumber(get('attempt')), 'Starting'
  if attempt > 1 then message = string.format('Starting, attempt %d of %d', attempt, tonumber(get('max_attempts'))) end
  set({ state = 'starting', stage = '', message = message, fraction = '', done = '', total = '', eta_seconds = '',
    health = 'ok', worker = a.worker, started_at = now, reported_at = now })
  emit('state')
  return answer('ok')
end

if what == 'lost' then
  if state == 'queued' or redis.call('EXISTS', K.lease) == 1 then return answer('not_lost') end
  return answer(recover())
end

if what == 'stalled' then
  if state == 'queued' or get('health') ~= 'ok' then return answer('unchanged') end
  if tonumber(now) - tonumber(get('reported_at')) < a.after_seconds then return answer('unchanged') end
  set({ health = 'stalled' })
  emit('state')
  return answer('ok')
end

if what == 'dispatched' then
  set({ dispatched_at = now, dispatches = tonumber(get('dispatches') ~= '' and get('dispatches') or '0') + 1 })
  return answer('ok')
end

if what == 'route' then
  if state ~= 'queued' then return answer('unchanged') end
  if get('queue') ~= a.queue then
    redis.call('ZREM', 'queue:' .. get('queue'), id)
    set({ queue = a.queue, dispatched_at = '', dispatches = 0 })
    redis.call('ZADD', 'queue:' .. a.queue, get('created_at'), id)
  end
  if get('message') ~= a.message then
    set({ message = a.message })
    emit('state')
  end
  return answer('ok')
end

-- From here on only the attempt that holds the lease may speak.
if redis.call('GET', K.lease) ~= a.token then return answer('refused', 'stale') end
local cancelled = redis.call('EXISTS', K.cancel)

if what == 'renew' then
  redis.call('PEXPIRE', K.lease, a.lease_ms)
  return { 'ok', tostring(cancelled), {}, 0 }
end

if what == 'report' then
  local seq = tonumber(get('seq'))
  if a.last_seq and seq < a.last_seq then redis.call('HINCRBY', K.job, 'epoch', 1) end
  local fields = a.fields
  fields.reported_at, fields.health = now, 'ok'
  if fields.fraction then
    local before = tonumber(get('fraction'))
    if before and before > tonumber(fields.fraction) then fields.fraction = before end
  end
  if fields.stage and fields.stage ~= get('stage') then -- what was counted and guessed belongs to the stage before
    for _, name in ipairs({ 'done', 'total', 'eta_seconds' }) do fields[name] = fields[name] or '' end
  end
  if state == 'cancelling' then fields.state, fields.message = nil, nil end
  set(fields)
  redis.call('PEXPIRE', K.lease, a.lease_ms)
  return { 'ok', tostring(cancelled), {}, emit(a.kind) }
end

if what == 'log' then
  redis.call('APPEND', K.log, a.text)
  redis.call('EXPIRE', K.log, a.retention_seconds)
  local flat = redis.call('HMGET', K.job, 'epoch', 'attempt', 'seq', 'sid')
  local event = { job = id, kind = 'log', state = state, epoch = number(flat[1]), attempt = number(flat[2]),
    seq = number(flat[3]), at = tonumber(now) }
  redis.call('PUBLISH', 'progress:' .. (flat[4] or '') .. ':' .. id, cjson.encode(event))
  return { 'ok', '', {}, 0 }
end

if what == 'release' then
  redis.call('DEL', K.lease)
  redis.call('HINCRBY', K.job, 'attempt', -1)
  if cancelled == 1 then
    close('cancelled', 'Cancelled', failure('cancelled', 'Cancelled.'))
  else
    if a.queue then set({ queue = a.queue, needs = a.needs, dispatches = 0 }) end
    enqueue(a.message or 'Waiting: its worker was shut down')
    emit('state')
  end
  return answer('ok')
end

if what == 'finish' then
  close(a.state, a.message, a.result, a.result_event)
  return answer('ok')
end

return redis.error_reply('unknown change ' .. what)
