import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.apache.hadoop.hive.conf.HiveConf;
import org.apache.hadoop.hive.metastore.HiveMetaStore;
import org.apache.hadoop.hive.metastore.TUGIBasedProcessor;
import org.apache.hadoop.hive.metastore.api.ThriftHiveMetastore;
import org.apache.thrift.protocol.TBinaryProtocol;
import org.apache.thrift.server.TThreadPoolServer;
import org.apache.thrift.transport.TServerSocket;
import org.apache.thrift.transport.TTransportFactory;

/**
 * Hive's metastore on one address: its own main class has no setting for that and listens on every interface.
 * Arguments: address, port. Run from source, with Spark's jars on the class path and hive-site.xml in a folder there.
 */
public final class MetastoreServer {
    private static final int LARGEST_MESSAGE = 100 * 1024 * 1024;

    public static void main(String[] arguments) throws Exception {
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getByName(arguments[0]), Integer.parseInt(arguments[1]));
        ThriftHiveMetastore.Iface handler = HiveMetaStore.newRetryingHMSHandler("lakepulse", new HiveConf(), true);
        TThreadPoolServer.Args settings = new TThreadPoolServer.Args(new TServerSocket(address))
                .processor(new TUGIBasedProcessor<>(handler))
                .transportFactory(new org.apache.hadoop.hive.thrift.TUGIContainingTransport.Factory())
                .protocolFactory(new TBinaryProtocol.Factory())
                .inputProtocolFactory(new TBinaryProtocol.Factory(true, true, LARGEST_MESSAGE, LARGEST_MESSAGE))
                .minWorkerThreads(4)
                .maxWorkerThreads(200);
        new TThreadPoolServer(settings).serve();
    }

    private MetastoreServer() {}
}
