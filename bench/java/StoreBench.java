import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.apache.rocketmq.common.BrokerConfig;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageConst;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.store.DefaultMessageStore;
import org.apache.rocketmq.store.PutMessageStatus;
import org.apache.rocketmq.store.config.FlushDiskType;
import org.apache.rocketmq.store.config.MessageStoreConfig;
import org.apache.rocketmq.store.stats.BrokerStatsManager;

/**
 * Drives genuine Apache RocketMQ's store: StoreBench DIRECTORY ASYNC_FLUSH|SYNC_FLUSH. A line on stdin, `round bodyBytes count inFlight`, appends
 * that many messages; the line `done round cpuMicros wallMicros` says what that took, consume queues and index included.
 * The processor time is that of the whole Java machine.
 */
public final class StoreBench {
  private static final String TOPIC = "BenchStorage";
  private static final int QUEUES = 4;
  private static final int KEYS = 4096;
  private static final InetSocketAddress HOST = new InetSocketAddress("127.0.0.1", 10911);

  private final DefaultMessageStore store;
  private final String[] properties = new String[KEYS];

  private StoreBench(String directory, FlushDiskType flush) throws Exception {
    MessageStoreConfig config = new MessageStoreConfig();
    config.setStorePathRootDir(directory);
    config.setStorePathCommitLog(directory + "/commitlog");
    config.setFlushDiskType(flush);
    config.setHaListenPort(0);
    BrokerConfig broker = new BrokerConfig();
    store = new DefaultMessageStore(config, new BrokerStatsManager(broker), (topic, queue, offset, tags, time, filter, map) -> { }, broker,
        new ConcurrentHashMap<>());
    if (!store.load()) throw new IllegalStateException("the store did not load");
    store.start();
    for (int n = 0; n < KEYS; n++) {
      MessageExtBrokerInner sample = new MessageExtBrokerInner();
      sample.setKeys("order-" + (1_000_000 + n) + " customer-" + (5_000_000 + n));
      sample.setTags("TagA");
      properties[n] = MessageDecoder.messageProperties2String(sample.getProperties());
    }
  }

  public static void main(String[] args) throws Exception {
    StoreBench bench = new StoreBench(args[0], FlushDiskType.valueOf(args[1]));
    System.out.println("ready");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] words = line.split(" ");
      bench.round(words[0], Integer.parseInt(words[1]), Integer.parseInt(words[2]), Integer.parseInt(words[3]));
    }
    bench.store.shutdown();
    bench.store.destroy();
    System.exit(0);
  }

  private void round(String name, int bodyBytes, int count, int inFlight) throws Exception {
    byte[] body = new byte[bodyBytes];
    Arrays.fill(body, (byte) 'x');
    Semaphore free = new Semaphore(inFlight);
    long startedAt = System.nanoTime();
    long cpuBefore = cpuNanos();
    for (int n = 0; n < count; n++) {
      free.acquire();
      store.asyncPutMessage(message(body, n)).whenComplete((result, failure) -> {
        if (failure != null || result.getPutMessageStatus() != PutMessageStatus.PUT_OK) {
          System.err.println("an append failed: " + failure + " " + result);
          System.exit(1);
        }
        free.release();
      });
    }
    free.acquire(inFlight);
    while (store.dispatchBehindBytes() > 0) Thread.sleep(1);
    long cpuMicros = (cpuNanos() - cpuBefore) / 1000;
    System.out.println("done " + name + " " + cpuMicros + " " + (System.nanoTime() - startedAt) / 1000);
  }

  /** As a broker makes it of a request: a fresh object; the properties are a text and a map already. */
  private MessageExtBrokerInner message(byte[] body, int n) {
    MessageExtBrokerInner message = new MessageExtBrokerInner();
    String text = properties[n % KEYS];
    message.setTopic(TOPIC);
    message.setQueueId(n % QUEUES);
    message.setBody(body);
    message.setBornTimestamp(System.currentTimeMillis());
    message.setBornHost(HOST);
    message.setStoreHost(HOST);
    MessageAccessor.putProperty(message, MessageConst.PROPERTY_TAGS, "TagA");
    message.setPropertiesString(text);
    message.setTagsCode("TagA".hashCode());
    return message;
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }
}
