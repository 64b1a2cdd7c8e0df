package main
import ("testing";"bufio";"os";"fmt";"strings";"sluice/classify/data";"sluice/classify/hosts";"sluice/classify/appdb")
func TestZZ(t *testing.T){
 db,_:=data.Load(); var tr hosts.Table[appdb.Application]; for _,a:=range db.Applications { for _,h:=range a.Hosts { tr.Add(h,a) } }
 names,_:=data.NamesOf("ndpi")
 f,_:=os.Open("/tmp/hosts.txt"); sc:=bufio.NewScanner(f)
 for sc.Scan(){ p:=strings.Split(sc.Text(),"\t"); a:=tr.Lookup([]byte(p[0])); n:=""; o:=""
  if a!=nil {o=a.Short(); _,n=names.Of("SSL",a.Name)}
  if n!=p[1] {fmt.Println(sc.Text(),"\tours:",o,n)}
 }
}
