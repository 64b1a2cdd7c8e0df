import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.security.cert.X509Certificate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.io.InputStream;
import java.net.URL;
import javax.net.ssl.HttpsURLConnection;

/** Visits the site whose URL is its argument, in every way that Java has, and prints a line about each. */
public class Client {
    public static void main(String[] args) throws Exception {
        String base = args[0];
        HttpsURLConnection old = (HttpsURLConnection) new URL(base + "/style.css").openConnection();
        try (InputStream in = old.getInputStream()) {
            System.out.println("HttpsURLConnection " + old.getResponseCode() + " " + new String(in.readAllBytes()));
        }

        HttpClient client = HttpClient.newHttpClient();
        for (HttpClient.Version version : HttpClient.Version.values()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/style.css")).version(version).build();
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            X509Certificate shown = (X509Certificate) response.sslSession().get().getPeerCertificates()[0];
            System.out.println(response.version() + " " + response.statusCode() + " " + response.body() + " " + shown.getIssuerX500Principal());
        }
        HttpRequest upload = HttpRequest.newBuilder(URI.create(base + "/upload")).POST(HttpRequest.BodyPublishers.ofByteArray(new byte[20 << 20])).build();
        System.out.println(client.send(upload, HttpResponse.BodyHandlers.ofString()).body());

        CompletableFuture<String> echo = new CompletableFuture<>();
        WebSocket socket = client.newWebSocketBuilder().buildAsync(URI.create(base.replace("https:", "wss:") + "/socket"), new WebSocket.Listener() {
            @Override
            public CompletionStage<?> onText(WebSocket s, CharSequence data, boolean last) {
                echo.complete(data.toString());
                return null;
            }
        }).get(10, TimeUnit.SECONDS);
        socket.sendText("from Java", true);
        System.out.println("WebSocket " + echo.get(10, TimeUnit.SECONDS));
        System.exit(0);
    }
}
