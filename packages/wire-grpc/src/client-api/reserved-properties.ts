/**
 * Names that a user property must not have and that consumers never see. Exactly the set of Apache's MessageConst
 * (STRING_HASH_SET): other names that the system uses, `__SHARDINGKEY` among them, are shown, and clients rely on that.
 */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'TRACE_ON MSG_REGION KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET BUYER_ID ' +
    'ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME UNIQ_KEY MAX_RECONSUME_TIMES CONSUME_START_TIME POP_CK ' +
    'POP_CK_OFFSET 1ST_POP_TIME TRAN_PREPARED_QUEUE_OFFSET DUP_INFO EXTEND_UNIQ_INFO INSTANCE_ID CORRELATION_ID REPLY_TO_CLIENT TTL ' +
    'ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE INNER_MULTI_QUEUE_OFFSET TIMER_DELAY_MS TIMER_DELAY_SEC TIMER_DELIVER_MS ' +
    'TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS TIMER_ROLL_TIMES TIMER_OUT_MS TIMER_DEL_UNIQKEY TIMER_DELAY_LEVEL __BORNHOST BORN_TIMESTAMP ' +
    'DLQ_ORIGIN_TOPIC DLQ_ORIGIN_MESSAGE_ID __CRC32#'
  ).split(' '),
)

/** Set by Apache 5.5 in what it copies to a retry topic, and not shown by its proxy. */
const ORIGIN_GROUP = 'ORIGIN_GROUP'
/** Names of our own, which Apache does not know. */
const OWN_PREFIX = '__TMQ_'

/** Whether only the system may set it. */
export function isReservedProperty(name: string): boolean {
  return RESERVED.has(name) || name.startsWith(OWN_PREFIX)
}

/** Whether consumers do not see it. */
export function isHiddenProperty(name: string): boolean {
  return isReservedProperty(name) || name === ORIGIN_GROUP
}
