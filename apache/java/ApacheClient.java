import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONArray;
import com.alibaba.fastjson2.JSONObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.OffsetNotFoundException;
import org.apache.rocketmq.client.impl.ClientRemotingProcessor;
import org.apache.rocketmq.client.impl.CommunicationMode;
import org.apache.rocketmq.client.impl.MQClientAPIImpl;
import org.apache.rocketmq.client.impl.consumer.PullResultExt;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.UtilAll;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageBatch;
import org.apache.rocketmq.common.message.MessageClientIDSetter;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageId;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.sysflag.MessageSysFlag;
import org.apache.rocketmq.common.sysflag.PullSysFlag;
import org.apache.rocketmq.namesrv.NamesrvStartup;
import org.apache.rocketmq.remoting.InvokeCallback;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.ResponseFuture;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.body.RegisterBrokerBody;
import org.apache.rocketmq.remoting.protocol.body.TopicConfigAndMappingSerializeWrapper;
import org.apache.rocketmq.remoting.protocol.header.EndTransactionRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.PullMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.QueryConsumerOffsetRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.QueryMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.UpdateConsumerOffsetRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.namesrv.RegisterBrokerRequestHeader;

/**
 * Apache's own client library, asked by lines of JSON: one request a line on standard input, one answer a line on standard output.
 * It talks to one broker by address, without a name server, so that what is asked of which broker is certain.
 *
 *     {"id": 1, "do": "queue", "broker": "127.0.0.1:10911", "topic": "T", "queueId": 0}   ->   {"id": 1, "result": …}
 */
public final class ApacheClient {
    private static final long TIMEOUT_MS = 10_000;
    private static final String GROUP = "interop";

    private final MQClientAPIImpl api;

    private ApacheClient() {
        api = new MQClientAPIImpl(new NettyClientConfig(), new ClientRemotingProcessor(null), null, new ClientConfig());
        api.start();
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        ApacheClient client = new ApacheClient();
        out.println("{\"ready\":true}");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject request = JSON.parseObject(line);
            JSONObject answer = new JSONObject();
            answer.put("id", request.get("id"));
            try {
                answer.put("result", client.perform(request));
            } catch (Exception failure) {
                answer.put("error", failure.toString());
            }
            out.println(answer.toJSONString());
        }
        client.api.shutdown();
        System.exit(0);
    }

    private Object perform(JSONObject request) throws Exception {
        String broker = request.getString("broker");
        String topic = request.getString("topic");
        switch (request.getString("do")) {
            case "queue":
                return queue(broker, topic, request.getIntValue("queueId"), request.getString("group"));
            case "view":
                return view(broker, topic, request.getString("messageId"));
            case "key":
                return byKey(broker, topic, request.getString("key"), request.getBooleanValue("unique"));
            case "send":
                return shown(send(broker, message(topic, request), request, 0));
            case "batch":
                return batch(broker, topic, request);
            case "transaction":
                return transaction(broker, topic, request);
            case "commit":
                return commit(broker, topic, request);
            case "committed":
                return committed(broker, topic, request);
            case "nameServer":
                return nameServer(request.getString("configuration"));
            case "register":
                return register(request);
            default:
                throw new IllegalArgumentException(request.toJSONString());
        }
    }

    /** All messages of one queue, with the offsets the broker gives for its beginning and end. */
    private JSONObject queue(String broker, String topic, int queueId, String group) throws Exception {
        MessageQueue queue = new MessageQueue(topic, "", queueId);
        long min = api.getMinOffset(broker, queue, TIMEOUT_MS);
        long max = api.getMaxOffset(broker, queue, TIMEOUT_MS);
        JSONArray messages = new JSONArray();
        long next = min;
        while (next < max) {
            PullResult pulled = pull(broker, topic, queueId, group, next);
            if (pulled.getPullStatus() != PullStatus.FOUND) {
                throw new IllegalStateException(pulled.getPullStatus() + " at " + next + " of " + topic + "-" + queueId);
            }
            ByteBuffer bytes = ByteBuffer.wrap(((PullResultExt) pulled).getMessageBinary());
            while (bytes.hasRemaining()) {
                MessageExt message = MessageDecoder.decode(bytes, true, true, true, false, true);
                if (message == null) {
                    throw new IllegalStateException("Apache's decoder refuses a record after " + next + " of " + topic);
                }
                messages.add(shown(message));
            }
            next = pulled.getNextBeginOffset();
        }
        JSONObject answer = new JSONObject();
        answer.put("minOffset", min);
        answer.put("maxOffset", max);
        answer.put("messages", messages);
        return answer;
    }

    private PullResult pull(String broker, String topic, int queueId, String group, long offset) throws Exception {
        PullMessageRequestHeader header = new PullMessageRequestHeader();
        header.setConsumerGroup(group);
        header.setTopic(topic);
        header.setQueueId(queueId);
        header.setQueueOffset(offset);
        header.setMaxMsgNums(32);
        header.setSysFlag(PullSysFlag.buildSysFlag(false, false, true, false));
        header.setCommitOffset(0L);
        header.setSuspendTimeoutMillis(0L);
        header.setSubscription("*");
        header.setSubVersion(System.currentTimeMillis());
        header.setExpressionType("TAG");
        return api.pullMessage(broker, header, TIMEOUT_MS, CommunicationMode.SYNC, null);
    }

    /** By the message id that names store host and log offset. */
    private JSONObject view(String broker, String topic, String messageId) throws Exception {
        MessageId id = MessageDecoder.decodeMessageId(messageId);
        return shown(api.viewMessage(broker, topic, id.getOffset(), TIMEOUT_MS));
    }

    /** Through the index: messages with a key, or with a client's message id. */
    private JSONArray byKey(String broker, String topic, String key, boolean unique) throws Exception {
        QueryMessageRequestHeader header = new QueryMessageRequestHeader();
        header.setTopic(topic);
        header.setKey(key);
        header.setMaxNum(64);
        header.setBeginTimestamp(0L);
        header.setEndTimestamp(Long.MAX_VALUE);
        AtomicReference<Object> outcome = new AtomicReference<>();
        CountDownLatch answered = new CountDownLatch(1);
        api.queryMessage(broker, header, TIMEOUT_MS, new InvokeCallback() {
            @Override
            public void operationComplete(ResponseFuture future) {
            }

            @Override
            public void operationSucceed(RemotingCommand response) {
                outcome.set(response);
                answered.countDown();
            }

            @Override
            public void operationFail(Throwable failure) {
                outcome.set(failure);
                answered.countDown();
            }
        }, unique);
        if (!answered.await(2 * TIMEOUT_MS, TimeUnit.MILLISECONDS)) {
            throw new IllegalStateException("no answer to a query by key");
        }
        JSONArray messages = new JSONArray();
        if (!(outcome.get() instanceof RemotingCommand)) {
            throw new IllegalStateException(String.valueOf(outcome.get()));
        }
        RemotingCommand response = (RemotingCommand) outcome.get();
        if (response.getCode() == 0) {
            for (MessageExt message : MessageDecoder.decodes(ByteBuffer.wrap(response.getBody()), true)) {
                messages.add(shown(message));
            }
        }
        return messages;
    }

    private static Message message(String topic, JSONObject request) {
        Message message = new Message(topic, Base64.getDecoder().decode(request.getString("body")));
        JSONObject properties = request.getJSONObject("properties");
        for (String name : properties.keySet()) {
            MessageAccessor.putProperty(message, name, properties.getString(name));
        }
        MessageClientIDSetter.setUniqID(message);
        return message;
    }

    private SendResult send(String broker, Message message, JSONObject request, int sysFlag) throws Exception {
        SendMessageRequestHeader header = new SendMessageRequestHeader();
        header.setProducerGroup(GROUP);
        header.setTopic(message.getTopic());
        header.setDefaultTopic("TBW102");
        header.setDefaultTopicQueueNums(4);
        header.setQueueId(request.getIntValue("queueId"));
        header.setSysFlag(sysFlag);
        header.setBornTimestamp(System.currentTimeMillis());
        header.setFlag(request.getIntValue("flag"));
        header.setProperties(MessageDecoder.messageProperties2String(message.getProperties()));
        header.setReconsumeTimes(0);
        header.setUnitMode(false);
        header.setBatch(message instanceof MessageBatch);
        return api.sendMessage(broker, "", message, header, TIMEOUT_MS, CommunicationMode.SYNC, null, null);
    }

    /** As the client's batch: several messages in one request, stored one after the other. */
    private JSONObject batch(String broker, String topic, JSONObject request) throws Exception {
        List<Message> messages = new ArrayList<>();
        for (Object body : request.getJSONArray("bodies")) {
            Message message = new Message(topic, Base64.getDecoder().decode((String) body));
            MessageClientIDSetter.setUniqID(message);
            messages.add(message);
        }
        MessageBatch batch = MessageBatch.generateFromList(messages);
        MessageClientIDSetter.setUniqID(batch);
        batch.setBody(batch.encode());
        return shown(send(broker, batch, request, 0));
    }

    /** A half message and its end: `commit`, or it is rolled back. */
    private JSONObject transaction(String broker, String topic, JSONObject request) throws Exception {
        Message message = message(topic, request);
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_TRANSACTION_PREPARED, "true");
        MessageAccessor.putProperty(message, MessageConst.PROPERTY_PRODUCER_GROUP, GROUP);
        SendResult half = send(broker, message, request, MessageSysFlag.TRANSACTION_PREPARED_TYPE);
        EndTransactionRequestHeader end = new EndTransactionRequestHeader();
        end.setTopic(topic);
        end.setProducerGroup(GROUP);
        end.setTransactionId(half.getTransactionId());
        end.setMsgId(half.getMsgId());
        end.setTranStateTableOffset(half.getQueueOffset());
        end.setCommitLogOffset(MessageDecoder.decodeMessageId(half.getOffsetMsgId()).getOffset());
        end.setFromTransactionCheck(false);
        end.setCommitOrRollback(request.getBooleanValue("commit")
            ? MessageSysFlag.TRANSACTION_COMMIT_TYPE : MessageSysFlag.TRANSACTION_ROLLBACK_TYPE);
        RemotingCommand command = RemotingCommand.createRequestCommand(RequestCode.END_TRANSACTION, end);
        RemotingCommand response = api.getRemotingClient().invokeSync(broker, command, TIMEOUT_MS);
        if (response.getCode() != 0) {
            throw new IllegalStateException("the end of a transaction: " + response.getCode() + " " + response.getRemark());
        }
        return shown(half);
    }

    private JSONObject commit(String broker, String topic, JSONObject request) throws Exception {
        UpdateConsumerOffsetRequestHeader header = new UpdateConsumerOffsetRequestHeader();
        header.setTopic(topic);
        header.setConsumerGroup(request.getString("group"));
        header.setQueueId(request.getIntValue("queueId"));
        header.setCommitOffset(request.getLongValue("offset"));
        api.updateConsumerOffset(broker, header, TIMEOUT_MS);
        return new JSONObject();
    }

    /** -1: the broker knows of no progress. Nothing is made up from the queue's beginning. */
    private JSONObject committed(String broker, String topic, JSONObject request) throws Exception {
        QueryConsumerOffsetRequestHeader header = new QueryConsumerOffsetRequestHeader();
        header.setTopic(topic);
        header.setConsumerGroup(request.getString("group"));
        header.setQueueId(request.getIntValue("queueId"));
        header.setSetZeroIfNotFound(false);
        JSONObject answer = new JSONObject();
        try {
            answer.put("offset", api.queryConsumerOffset(broker, header, TIMEOUT_MS));
        } catch (OffsetNotFoundException absent) {
            answer.put("offset", -1);
        }
        return answer;
    }

    /** Apache's name server, in this machine too: a machine less. */
    private static JSONObject nameServer(String configuration) {
        NamesrvStartup.main0(new String[] {"-c", configuration});
        return new JSONObject();
    }

    /** Tells a name server of a master that does not speak remoting: from there Apache's slave learns where to find the log. */
    private JSONObject register(JSONObject request) throws Exception {
        RegisterBrokerRequestHeader header = new RegisterBrokerRequestHeader();
        header.setClusterName(request.getString("cluster"));
        header.setBrokerName(request.getString("brokerName"));
        header.setBrokerAddr(request.getString("brokerAddress"));
        header.setBrokerId(0L);
        header.setHaServerAddr(request.getString("haAddress"));
        header.setHeartbeatTimeoutMillis(3_600_000L);
        header.setCompressed(false);
        TopicConfigAndMappingSerializeWrapper topics = new TopicConfigAndMappingSerializeWrapper();
        RegisterBrokerBody body = new RegisterBrokerBody();
        body.setTopicConfigSerializeWrapper(topics);
        byte[] bytes = body.encode(false);
        header.setBodyCrc32(UtilAll.crc32(bytes));
        RemotingCommand command = RemotingCommand.createRequestCommand(RequestCode.REGISTER_BROKER, header);
        command.setBody(bytes);
        RemotingCommand response = api.getRemotingClient().invokeSync(request.getString("nameServer"), command, TIMEOUT_MS);
        if (response.getCode() != 0) {
            throw new IllegalStateException("the name server: " + response.getCode() + " " + response.getRemark());
        }
        return new JSONObject();
    }

    private static JSONObject shown(SendResult sent) {
        JSONObject shown = new JSONObject();
        shown.put("status", sent.getSendStatus().name());
        shown.put("messageId", sent.getMsgId());
        shown.put("offsetMessageId", sent.getOffsetMsgId());
        shown.put("queueOffset", sent.getQueueOffset());
        return shown;
    }

    private static JSONObject shown(MessageExt message) {
        JSONObject shown = new JSONObject();
        shown.put("topic", message.getTopic());
        shown.put("queueId", message.getQueueId());
        shown.put("queueOffset", message.getQueueOffset());
        shown.put("physicalOffset", message.getCommitLogOffset());
        shown.put("size", message.getStoreSize());
        shown.put("bodyCrc", message.getBodyCRC());
        shown.put("flag", message.getFlag());
        shown.put("sysFlag", message.getSysFlag());
        shown.put("bornTimestamp", message.getBornTimestamp());
        shown.put("storeTimestamp", message.getStoreTimestamp());
        shown.put("reconsumeTimes", message.getReconsumeTimes());
        shown.put("messageId", MessageDecoder.createMessageId(message.getStoreHost(), message.getCommitLogOffset()));
        shown.put("uniqueKey", message.getProperty(MessageConst.PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX));
        shown.put("tags", message.getTags());
        shown.put("keys", message.getKeys());
        shown.put("properties", message.getProperties());
        shown.put("body", Base64.getEncoder().encodeToString(message.getBody() == null ? new byte[0] : message.getBody()));
        return shown;
    }
}
