"""A hundred petitions, letters and requests, written for these tests, with the advice that each should get.

They sound like what arrives at a municipality; no person is named in them. The first part is correct and
must get no advice at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """`codes` is the whole set of codes expected; `petitioner` what is known besides the text."""

    name: str
    who: str
    kind: str | None
    subject: str
    body: str
    codes: frozenset[str] = field(default=frozenset())
    petitioner: dict[str, Any] | None = None


def good(title: str, who: str, kind: str | None, subject: str, body: str, /, **petitioner: Any) -> Text:
    return Text(title, who, kind, subject, body.strip(), petitioner=petitioner or None)


def bad(title: str, who: str, kind: str | None, subject: str, body: str, /, *codes: str, **petitioner: Any) -> Text:
    return Text(title, who, kind, subject, body.strip(), frozenset(codes), petitioner or None)


CORRECT = [
    good("street lamp", "citizen", "petition", "Sokak lambasının onarılması", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Feriköy Mahallesi, Örnek Sokak No: 12 önündeki sokak lambası 3 Mart 2026 tarihinden beri yanmamaktadır. Akşam saatlerinde
okuldan dönen çocuklar karanlıkta kalmaktadır.

Lambanın onarılması hususunda gereğini arz ederim.
""", name="[ad soyad]", address="[adres]"),
    good("playground by association", "organisation", "petition", "Oyun alanının güvenliği", """
KADIKÖY BELEDİYE BAŞKANLIĞINA

Derneğimiz, ilçedeki çocuk parklarının güvenliği üzerine çalışmaktadır. Gönüllülerimizin 12 Nisan 2026 tarihli gözleminde
Fenerbahçe Mahallesi'ndeki oyun alanında iki salıncağın zincirinin kopuk olduğu görülmüştür.

Salıncakların onarılmasını ve sonucun tarafımıza bildirilmesini saygıyla arz ederiz.

Ek: Gözlem tutanağı (1 sayfa)
""", name="Yer Çizenler Derneği", address="[adres]"),
    good("information request", "citizen", "information_request", "Ağaç budama harcamaları", """
İZMİR BÜYÜKŞEHİR BELEDİYE BAŞKANLIĞINA

4982 sayılı Bilgi Edinme Hakkı Kanunu kapsamında, 2025 yılında ilçe bazında kaç ağacın budandığına ve bu iş için ne kadar
harcama yapıldığına ilişkin bilgi ve belgelerin elektronik ortamda tarafıma verilmesini arz ederim.
"""),
    good("information by foundation", "organisation", "information_request", "Kreş kapasitesi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Belediyenize ait gündüz bakımevlerinin sayısı, kapasitesi ve bekleme listesinde kaç çocuk bulunduğu hakkında bilgi
verilmesini 4982 sayılı Kanun uyarınca arz ederiz.
""", name="KEDV", address="[adres]"),
    good("governor to municipality", "public_body", None, "Toplantı", """
T.C.
İSTANBUL VALİLİĞİ
İl Sivil Toplumla İlişkiler Müdürlüğü

Sayı: E-67915368-903.07.02-4752
Konu: Toplantı

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Sivil toplum kuruluşlarıyla yapılacak değerlendirme toplantısı 20 Mayıs 2026 günü saat 10.00'da Valiliğimizde yapılacaktır.
Toplantıya katılacak personelin bildirilmesini rica ederim.
"""),
    good("district governor to municipality", "public_body", None, "Afet toplanma alanları", """
T.C.
ŞİŞLİ KAYMAKAMLIĞI
Yazı İşleri Müdürlüğü

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

İlgi: 4 Mayıs 2026 tarihli ve E-67915368-903.07.02-118 sayılı yazı.

İlgi yazı ile istenen afet toplanma alanları listesinin güncellenerek en geç 15 Mayıs 2026 tarihine kadar
gönderilmesini önemle rica ederim.
"""),
    good("ministry to municipality", "public_body", None, "Atık verileri", """
T.C.
ÇEVRE, ŞEHİRCİLİK VE İKLİM DEĞİŞİKLİĞİ BAKANLIĞI
Yerel Yönetimler Genel Müdürlüğü

DAĞITIM YERLERİNE

Belediyelerin 2025 yılına ait atık verilerini sisteme girmeleri gerekmektedir.
Bilgilerini ve gereğini rica ederim.
"""),
    good("mixed distribution", "public_body", None, "Sıfır atık eğitimi", """
T.C.
İSTANBUL VALİLİĞİ
Çevre, Şehircilik ve İklim Değişikliği İl Müdürlüğü

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Sıfır atık eğitimi 9 Haziran 2026 tarihinde çevrim içi yapılacaktır.
Bilgilerinizi ve gereğini arz ve rica ederim.
"""),
    good("unknown public body with rica", "public_body", None, "Personel görevlendirmesi", """
BELEDİYE BAŞKANLIĞINA

Kurumumuzca yürütülen saha çalışması için bir personelin görevlendirilmesini rica ederim.
"""),
    good("unknown public body with arz", "public_body", None, "Görüş", """
BELEDİYE BAŞKANLIĞINA

Ekte gönderilen yönetmelik taslağı hakkındaki görüşünüzün 15 iş günü içinde bildirilmesini arz ederim.
"""),
    good("municipality to municipality", "local_government", None, "Deneyim paylaşımı", """
T.C.
NİLÜFER BELEDİYE BAŞKANLIĞI
Strateji Geliştirme Müdürlüğü

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Gönüllü katılımı konusunda yürüttüğünüz çalışmalardan yararlanmak üzere bir inceleme ziyareti yapılması planlanmaktadır.
Uygun görülecek tarihin bildirilmesini arz ederim.
"""),
    good("metropolitan to district with both", "local_government", None, "Ortak çalışma", """
T.C.
İSTANBUL BÜYÜKŞEHİR BELEDİYE BAŞKANLIĞI

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Kaldırım envanterinin paylaşılmasını ve ilgili birimlere duyurulmasını arz ve rica ederim.
"""),
    good("mukhtar", "mukhtar", "petition", "Yaya geçidi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Muhtarlığımız sınırları içindeki ilkokulun önünde yaya geçidi bulunmamaktadır. Sabah ve öğle saatlerinde trafik yoğun
olduğundan çocuklar karşıya güçlükle geçmektedir.

Okul önüne yaya geçidi yapılması hususunda gereğini bilgilerinize arz ederim.
""", name="[mahalle] Muhtarlığı", address="[adres]"),
    good("school", "school", "petition", "Okul bahçesinin gölgelendirilmesi", """
T.C.
ŞİŞLİ KAYMAKAMLIĞI
[okul adı] İlkokulu Müdürlüğü

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Okulumuzun bahçesinde gölge alan bulunmadığından öğrencilerimiz sıcak günlerde bahçeden yararlanamamaktadır.
Bahçemize fidan dikilmesi konusunda gereğini arz ederim.
"""),
    good("company", "company", "petition", "Yükleme alanı", """
BAKIRKÖY BELEDİYE BAŞKANLIĞINA

Şirketimiz, İncirli Caddesi No: 40 adresinde faaliyet göstermektedir. Sevkiyat saatlerinde trafiğin aksamaması için
yükleme alanı ayrılmasının değerlendirilmesini arz ederiz.
"""),
    good("neighbourhood assembly", "neighbourhood_assembly", "petition", "Mahalle evi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Mahalle meclisimizin 6 Nisan 2026 tarihli toplantısında, boş duran eski sağlık ocağı binasının mahalle evi olarak
kullanılması oy birliğiyle önerilmiştir. Önerimizin değerlendirilmesini arz ederiz.
"""),
    good("citizen assembly opinion", "citizen_assembly", "opinion", "Gençlik meclisi görüşü", """
ŞİŞLİ BELEDİYE MECLİS BAŞKANLIĞINA

Kent konseyi gençlik meclisimizin bisiklet yolları hakkındaki görüşü ektedir. 5393 sayılı Kanun'un 76. maddesi gereğince
görüşün belediye meclisinin ilk toplantısında gündeme alınmasını arz ederiz.
"""),
    good("partnership proposal", "organisation", "partnership_proposal", "Haritalama atölyeleri için iş birliği önerisi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Derneğimiz, mahallelilerle birlikte erişilebilirlik haritaları hazırlamaktadır. Belediyenizin 5393 sayılı Kanun'un
14. maddesinde sayılan kent bilgi sistemi görevine katkı sağlamak üzere Feriköy'de altı ay sürecek haritalama atölyeleri
düzenlemeyi öneriyoruz.

Derneğimiz eğitmenleri ve yöntemi, belediyeniz toplantı salonunu ve duyuruyu sağlayacaktır. Nakdi destek talebimiz
bulunmamaktadır.

Ortak hizmet projesi protokolü için görüşülmesini arz ederiz.
"""),
    good("proposal over many areas", "organisation", "partnership_proposal", "Kadın emeği pazarı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Kadın kooperatiflerinin ürünlerini satabileceği bir pazarın parkta kurulmasını, tezgâhların ortak tasarlanmasını ve
kütüphanede kurs düzenlenmesini içeren ortak hizmet projesi önerimiz ektedir. Önerimizin değerlendirilmesini arz ederiz.
"""),
    good("saygılarımla only", "citizen", "petition", "Teşekkür ve öneri", """
Sayın Şişli Belediye Başkanı,

Kütüphanenin hafta sonu da açık olması ailemizi sevindirdi. Akşam saatlerinin de uzatılmasını öneriyorum.

Saygılarımla
"""),
    good("rica as a noun of others", "citizen", "petition", "Bank yerleştirilmesi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Mahalledeki yaşlıların ricası üzerine bu dilekçeyi yazıyorum. Ricacı oldukları konu, Bozkurt Mahallesi Ergenekon Caddesi
üzerindeki durağa bank konulmasıdır. Bank konulması için gereğini arz ederim.
"""),
    good("quoted rica", "citizen", "petition", "Yazışma dili", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Zabıta Müdürlüğünüzün 2 Mart 2026 tarihli yazısı "gereğini rica ederim" ifadesiyle bitmektedir. Vatandaşa yazılan
yazıların "Saygılarımla" ya da "Bilgilerinize sunulur" ifadesiyle bitirilmesinin değerlendirilmesini arz ederim.
"""),
    good("quoted shouting", "organisation", "petition", "Afişin kaldırılması", """
BEYOĞLU BELEDİYE BAŞKANLIĞINA

İstiklal Caddesi No: 100 önündeki panoda “YETER ARTIK, UTANIN, HEPİNİZ GİDİN!” yazılı izinsiz bir afiş asılıdır.
Afişin kaldırılmasını arz ederiz.
"""),
    good("words that only look alike", "citizen", "petition", "Afrika menekşesi sergisi", """
ÇANKAYA BELEDİYE BAŞKANLIĞINA

Amerika ve Afrika kökenli bitkilerden oluşan sergimiz 5 Haziran 2026 tarihinde açılacaktır. Sık sık sulanması gereken
bitkiler için serginin yapılacağı salonda su bulunup bulunmadığının bildirilmesini arz ederim.
"""),
    good("theft as a topic", "citizen", "petition", "Aydınlatma", """
ÜSKÜDAR BELEDİYE BAŞKANLIĞINA

Selimiye Mahallesi'nde son aylarda hırsızlık olayları artmıştır. Karanlık kalan Çeşme Sokağı'nın aydınlatılmasını arz ederim.
"""),
    good("heading in capitals", "organisation", "petition", "Sokak sağlıklaştırma", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA
FEN İŞLERİ MÜDÜRLÜĞÜNE İLETİLMEK ÜZERE

BOMONTİ MAHALLESİ SOKAK SAĞLIKLAŞTIRMA ÇALIŞMASI HAKKINDA

Birahane Sokak'ta kaldırım genişliği 80 santimetreye düşmektedir. Kaldırımın genişletilmesini arz ederiz.
"""),
    good("office names in capitals", "citizen", "petition", "Yazının yönlendirilmesi", """
T.C. ŞİŞLİ BELEDİYE BAŞKANLIĞI PARK VE BAHÇELER MÜDÜRLÜĞÜNE

Maçka Parkı girişindeki kırık bankın onarılmasını saygılarımla arz ederim.
"""),
    good("abbreviations in capitals", "organisation", "opinion", "TSE ve TSK standartları", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

TSE, TÜİK, TBB ve İSKİ verilerine göre hazırladığımız görüş ektedir. TSK Rehabilitasyon Merkezi'nin deneyimi de
görüşümüze yansıtılmıştır. Görüşümüzü bilgilerinize sunarız.

Saygılarımızla
"""),
    good("derhal in a report", "citizen", "petition", "Teşekkür", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

1 Nisan 2026 gecesi binamızdaki su baskınına ekipleriniz derhal müdahale etmiştir. Emeği geçen birime teşekkürümün
iletilmesini arz ederim.
"""),
    good("arz ve talep", "citizen", "petition", "Taksitlendirme", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA
MALİ HİZMETLER MÜDÜRLÜĞÜNE

2025 yılı emlak vergisi borcumun on iki taksitte ödenmesine izin verilmesini arz ve talep ederim.
"""),
    good("social assistance for a person", "citizen", "petition", "Sosyal yardım başvurusu", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

İşsiz kaldığım için kış aylarında yakacak masrafını karşılayamıyorum. Nakdi yardım başvurumun değerlendirilmesini arz ederim.
"""),
    good("park with its bins", "citizen", "petition", "Parkın temizliği", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Sanatçılar Parkı'ndaki çöp konteyneri haftalardır dolup taşmakta, oyun alanına atık yayılmaktadır. Parktaki konteynerin
boşaltılmasını ve oyun alanının temizlenmesini arz ederim.
"""),
    good("ruling as a ground", "citizen", "petition", "Yıkım kararı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

İstanbul 5. İdare Mahkemesinin ekte sunulan kararı uyarınca Kuştepe Mahallesi'ndeki yapıya ilişkin işlemin geri
alınmasını arz ederim.
"""),
    good("own phone", "citizen", "petition", "Randevu", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Nikâh salonu için 12 Eylül 2026 gününe randevu verilmesini arz ederim. Bana 0532 000 00 00 numaralı telefondan ulaşılabilir.
"""),
    good("eleven digits that are no identity", "company", "petition", "Abone işlemi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

12345678901 sayılı başvurumuzun sonucunun bildirilmesini arz ederiz.
"""),
    good("health of a group", "organisation", "petition", "Rampa", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Engelli komşularımızın sağlık ocağına girebilmesi için Halaskargazi Caddesi No: 200 girişine rampa yapılmasını arz ederiz.
"""),
    good("two acts on one matter", "citizen", "petition", "Başıboş köpekler", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Mahmut Şevket Paşa Mahallesi Okul Sokağı'nda aç kalan sokak köpekleri okul yolunda toplanmaktadır. Hayvanların
kısırlaştırılmasını ve beslenme odağı kurulmasını, ayrıca köpekler için su kabı konulmasını arz ederim.
"""),
    good("numbered on one matter", "organisation", "information_request", "Park bütçesi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

4982 sayılı Kanun kapsamında aşağıdaki bilgilerin verilmesini arz ederiz:
1. 2025 yılında parklara ayrılan ödenek,
2. Parkların bakımını yapan personel sayısı,
3. Yenilenen oyun gruplarının listesi.
"""),
    good("decomposed letters", "citizen", "petition", "Kaldırım", """
ŞIŞLI BELEDIYE BASKANLIGINA

Meşrutiyet Mahallesi Rumeli Caddesi No: 5 önündeki kırık kaldırımın onarılmasını saygılarımla arz ederim.
"""),
    good("written without Turkish letters", "citizen", "petition", "Cukur", """
SISLI BELEDIYE BASKANLIGINA

Gulbahar Mahallesi Avni Dilligil Sokak No: 3 onundeki cukurun kapatilmasini arz ederim.
"""),
    good("in the first person plural by citizens", "citizen", "petition", "Apartman sakinleri", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Aşağıda imzası bulunan apartman sakinleri olarak, Abide-i Hürriyet Caddesi No: 77 önündeki ağacın kurumuş dallarının
budanmasını saygılarımızla arz ederiz.
"""),
    good("right reserved without threat", "citizen", "petition", "Zarar", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

10 Mayıs 2026 günü Lala Şahin Sokak No: 9 önündeki rögar kapağı nedeniyle aracım zarar görmüştür. Yasal haklarım saklı
kalmak üzere, zararımın karşılanması konusunda gereğini arz ederim.
"""),
    good("stopped volunteering proposal by a person", "citizen", "partnership_proposal", "Gönüllü satranç dersi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Emekli öğretmen olarak gençlik merkezinizde haftada iki saat gönüllü satranç dersi vermeyi öneriyorum. Önerimin
değerlendirilmesini saygılarımla arz ederim.
"""),
    good("donation campaign of others", "organisation", "petition", "Kitap toplama noktası", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Derneğimiz köy okulları için kitap topluyor; belediyenizden maddi destek talep etmiyoruz. Kitap kutularımızın kültür
merkezinin girişine konulmasına izin verilmesini arz ederiz.
"""),
    good("full organisation", "organisation", "petition", "Salon tahsisi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Genel kurulumuzun 14 Haziran 2026 günü Nazım Hikmet Kültür ve Sanat Evi'nde yapılabilmesi için salonun ücreti karşılığında
tahsis edilmesini arz ederiz.

Ek: Yetki belgesi
""", name="Yer Çizenler Derneği", address="[adres]", authorised_person="Yönetim Kurulu Başkanı", mandate=None,
         signature="e_signature", date="2026-05-20"),
    good("programme of the union", "organisation", "partnership_proposal", "AB hibe programı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Avrupa Birliği'nin yerel katılım hibe programına belediyenizle birlikte başvurulmasını öneriyoruz. Program bütçesi iki
tarafça ayrı ayrı yönetilecektir. Önerimizin değerlendirilmesini arz ederiz.
"""),
    good("deed of inheritance as an annex", "citizen", "petition", "Emlak kaydı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA
MALİ HİZMETLER MÜDÜRLÜĞÜNE

Ekte sunduğum veraset ilamı ile adıma geçen Merkez Mahallesi'ndeki dairenin emlak kaydının düzeltilmesini arz ederim.

Ek: Veraset ilamı
"""),
    good("invoice of a contractor", "company", "petition", "Hakediş", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Sözleşmemiz kapsamında 3 Şubat 2026 tarihinde kabulü yapılan işe ait faturamızın ödenmesini arz ederiz.
"""),
    good("to whom it may concern", "citizen", "petition", "Bütün parklar için öneri", """
İLGİLİ MAKAMA

İlçemizdeki bütün parklarda kırık oyun gruplarının onarılmasını ve her parka gölgelik yapılmasını arz ederim.
"""),
    good("seizure by the municipality itself", "citizen", "petition", "Haczin kaldırılması", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Çevre temizlik vergisi borcumun tamamını 2 Nisan 2026 tarihinde ödedim. Aracım üzerindeki haczin kaldırılmasını arz ederim.
"""),
    good("the same support as last year", "organisation", "petition", "Duyuru", """
Şişli Belediyesi'ne,

Geçen yıl etkinliğimizin duyurusu belediye panolarında yapılmıştı. Bu yıl da aynı desteğin verilmesini arz ederiz.
"""),
    good("several wishes of one trade", "company", "petition", "Kapı önü", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Valikonağı Caddesi No: 60 önünde süren altyapı çalışması nedeniyle müşterilerimiz içeri girememektedir. Geçici bir köprü
konulmasını ve çalışma takviminin tarafımıza bildirilmesini arz ederiz.
"""),
    good("information given by a mukhtar", "mukhtar", "petition", "Yeni adres", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Muhtarlığımız 4 Mayıs 2026 tarihinde yeni binasına taşınmıştır. Bilgilerinize arz ederim.
"""),
    good("condolence of the district governor", "public_body", None, "Tören", """
T.C.
BEYKOZ KAYMAKAMLIĞI

BEYKOZ BELEDİYE BAŞKANLIĞINA

19 Mayıs töreninin yapılacağı alanın temizlenmesi ve ses düzeninin kurulması hususunda gereğini rica ederim.
"""),
    good("university to municipality", "public_body", None, "Staj", """
T.C.
[üniversite adı] ÜNİVERSİTESİ REKTÖRLÜĞÜ

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Şehir planlama öğrencilerimizin yaz stajlarını belediyenizde yapabilmesi için kontenjan ayrılmasını arz ederim.
"""),
]  # fmt: skip

WANTING = [
    bad("rica by a citizen", "citizen", "petition", "Kaldırım", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Feriköy Mahallesi Baruthane Caddesi No: 8 önündeki kırık kaldırımın onarılmasını rica ederim.
""", "rica_instead_of_arz"),
    bad("rica by an association", "organisation", "petition", "Salon", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Derneğimizin genel kurulu için salonun 3 Mayıs 2026 günü ayrılmasını rica ediyoruz.
""", "rica_instead_of_arz"),
    bad("önemle rica olunur", "company", "petition", "Levha", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Büyükdere Caddesi No: 15 önüne yönlendirme levhası konulması önemle rica olunur.
""", "rica_instead_of_arz"),
    bad("rica in capitals", "citizen", "petition", "Bank", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Maçka Parkı'na iki bank konulmasını RİCA EDERİM.
""", "rica_instead_of_arz"),
    bad("rica without Turkish letters", "citizen", "petition", "Agac", """
SISLI BELEDIYE BASKANLIGINA

Kustepe Mahallesi Leylak Sokak No: 4 onundeki agacin budanmasini RICA EDIYORUM.
""", "rica_instead_of_arz"),
    bad("rica etmekteyiz", "neighbourhood_assembly", "opinion", "Bisiklet yolu", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Bisiklet yolunun mahallemizden geçmesi yönündeki görüşümüzün dikkate alınmasını rica etmekteyiz.
""", "rica_instead_of_arz"),
    bad("rica eder saygılar", "citizen", "petition", "Otobüs durağı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Duatepe Mahallesi'ndeki durağa bir gölgelik yapılmasını rica eder, saygılar sunarım.
""", "rica_instead_of_arz"),
    bad("ricamızdır", "citizen_assembly", "petition", "Toplantı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Kadın meclisimizin önerilerinin bütçe görüşmelerinde ele alınması ricamızdır.
""", "rica_instead_of_arz"),
    bad("arz ve rica by an association", "organisation", "petition", "Stant", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Meydanda 8 Mart günü stant açmamıza izin verilmesini arz ve rica ederiz.
""", "mixed_closing"),
    bad("municipality writes rica to a municipality", "local_government", None, "Envanter", """
T.C.
KADIKÖY BELEDİYE BAŞKANLIĞI

ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Ortak sınırdaki caddelere ilişkin ağaç envanterinin gönderilmesini rica ederim.
""", "rica_by_rank"),
    bad("school writes rica", "school", "petition", "Servis alanı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Okulumuzun önünde servis araçları için cep yapılmasını rica ederim.
""", "rica_by_rank"),
    bad("mukhtar writes rica", "mukhtar", "petition", "Çeşme", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Muhtarlık binamızın yanındaki tarihî çeşmenin onarılmasını rica ederim.
""", "rica_by_rank"),
    bad("talep ediyorum", "citizen", "petition", "Hız kesici", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Paşa Mahallesi Silahşör Caddesi'ne hız kesici yapılmasını talep ediyorum.
""", "demanding_closing"),
    bad("talep ederiz after a noun", "organisation", "petition", "Toplantı salonu", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Aylık toplantılarımız için kültür merkezinde bir salon talep ederiz.
""", "demanding_closing"),
    bad("istiyoruz", "citizen", "petition", "Konteyner", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Gülbahar Mahallesi Cemal Sahir Sokak'taki konteynerlerin her gün boşaltılmasını istiyoruz.
""", "demanding_closing"),
    bad("gereğini yapın", "citizen", "petition", "Kaçak yapı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Kuştepe Mahallesi Zambak Sokak No: 6'da ruhsatsız bir kat yapılmaktadır. Gereğini yapın.
""", "order_wording"),
    bad("gereğini derhal yapınız", "citizen", "petition", "Çukur", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Esentepe Mahallesi Ecza Sokak No: 2 önündeki çukur bir aydır kapatılmadı. Gereğini derhal yapınız.
""", "order_wording", "pressing"),
    bad("imperatives", "citizen", "petition", "Çöp", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Halide Edip Adıvar Mahallesi Darülaceze Caddesi'ndeki çöpleri toplayın, sokağı temizleyin. Saygılarımla
""", "order_wording"),
    bad("gereğini bekliyoruz", "organisation", "petition", "Pankart", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Etkinlik pankartlarımız için Cumhuriyet Caddesi'nde yer ayrılması konusunda gereğini bekliyoruz.
""", "order_wording"),
    bad("derhal", "citizen", "petition", "Rögar kapağı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Harzemşah Sokak No: 11 önündeki rögar kapağının derhal kapatılmasını arz ederim.
""", "pressing"),
    bad("threat of a suit", "citizen", "petition", "Zemin etüdü", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

İzzetpaşa Mahallesi'ndeki inşaat binamızda çatlaklara yol açtı. İnşaatın denetlenmesini arz ederim. Aksi hâlde dava açacağım.
""", "threat"),
    bad("threat with the press", "organisation", "petition", "İzin", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Başvurumuza iki aydır cevap verilmedi. Cevap verilmezse konuyu basına taşıyacağız. Başvurumuzun sonuçlandırılmasını arz ederiz.
""", "threat"),
    bad("threat with votes", "citizen", "petition", "Otopark", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Fulya Mahallesi'nde park yeri bulunmuyor. Otopark yapılmasını arz ederim, yoksa bir daha oy vermeyeceğim.
""", "threat"),
    bad("complaint announced", "citizen", "petition", "Gürültü", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Teşvikiye Mahallesi Şakayık Sokak No: 20'deki iş yerinin gürültüsünün önlenmesini arz ederim. Yapılmazsa CİMER'e şikâyet edeceğim.
""", "threat"),
    bad("insult", "citizen", "petition", "Kaldırım", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Mecidiyeköy Mahallesi Şehit Ahmet Sokak'taki kaldırım yine söküldü. Beceriksizsiniz. Kaldırımın onarılmasını arz ederim.
""", "insult"),
    bad("insult of staff", "citizen", "petition", "Zabıta", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Pazardaki tezgâhımı kaldıran terbiyesiz görevliler hakkında işlem yapılmasını arz ederim.
""", "insult"),
    bad("harsh", "citizen", "petition", "Su baskını", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Ayazağa Mahallesi Kemerburgaz Caddesi'nde her yağmurda dükkânları su basıyor. Bu bir rezalet, bıktık usandık.
Yağmur suyu hattının yenilenmesini arz ederim.
""", "harsh_wording"),
    bad("are you asleep", "citizen", "petition", "Lamba", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Yayla Mahallesi Park Sokağı'ndaki lambalar üç aydır yanmıyor, siz uyuyor musunuz? Lambaların onarılmasını arz ederim.
""", "harsh_wording"),
    bad("condemning", "organisation", "opinion", "Ağaç kesimi", """
BEŞİKTAŞ BELEDİYE BAŞKANLIĞINA

Sahildeki çınarların kesilmesini kınıyoruz. Kalan ağaçların korunmasını arz ederiz.
""", "harsh_wording"),
    bad("exclamation", "citizen", "petition", "Sokak köpekleri", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Huzur Mahallesi Okul Sokağı'nda köpek sürüleri var!!! Hayvanların rehabilite edilmesini arz ederim.
""", "exclamation"),
    bad("capitals in text", "citizen", "petition", "Park", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Cumhuriyet Mahallesi'ndeki parkta ÇOCUKLARIMIZ HER GÜN KIRIK CAMLARIN ARASINDA OYNAMAK zorunda kalıyor.
Parkın temizlenmesini arz ederim.
""", "capitals"),
    bad("all in capitals", "citizen", "petition", "ÇÖP", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

KAPTANPAŞA MAHALLESİ PİYALEPAŞA BULVARI ÜZERİNDEKİ ÇÖP KONTEYNERLERİ HİÇ BOŞALTILMIYOR. BOŞALTILMASINI ARZ EDERİM.
""", "capitals"),
    bad("merhaba", "citizen", "petition", "Kütüphane saatleri", """
Merhaba,

Kütüphanenin sınav döneminde gece yarısına kadar açık tutulmasını arz ederim.
""", "informal_greeting"),
    bad("selam and bye", "citizen", "petition", "Kurs", """
Selam, geçen yılki gitar kursu bu yıl da açılacak mı? Açılmasını arz ederim.

Görüşürüz
""", "informal_greeting", "informal_closing"),
    bad("thanks in advance", "citizen", "petition", "Ağaç", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Merkez Mahallesi Perihan Sokak No: 7 önündeki ağacın budanmasını arz ederim.

Şimdiden teşekkürler
""", "informal_closing"),
    bad("chat words", "citizen", "petition", "Wifi", """
slm, gençlik merkezindeki wifi çalışmıyo, bi bakılmasını arz ederim tşk
""", "informal_greeting", "chat_word"),
    bad("rude all over", "citizen", "petition", "YETER", """
Yeter artık! Kaç kere yazdık, çöpleri toplayın! Yoksa mahkemeye vereceğim!
""", "harsh_wording", "exclamation", "order_wording", "threat", "salutation_missing", "closing_missing", "place_missing"),
    bad("no salutation", "citizen", "petition", "Sokak lambası", """
Feriköy Mahallesi, Örnek Sokak No: 12 önündeki lambanın onarılmasını arz ederim.
""", "salutation_missing"),
    bad("no closing", "citizen", "petition", "Geri dönüşüm kutusu", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Harbiye Mahallesi Maçka Caddesi'ne bir geri dönüşüm kutusu konulmasını öneriyorum.
""", "closing_missing"),
    bad("nothing asked", "citizen", "petition", "Mahallem", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Otuz yıldır bu ilçede oturuyorum. Eskiden her yer bahçeydi, komşular birbirini tanırdı.

Saygılarımla
""", "no_definite_subject"),
    bad("two words", "citizen", "petition", "", "Yol bozuk", "no_definite_subject", "salutation_missing", "closing_missing"),
    bad("no place", "citizen", "petition", "Lamba", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Evimin önündeki lamba bozuk, onarılmasını arz ederim.
""", "place_missing"),
    bad("no name, no address", "citizen", "petition", "Kaldırım", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Bozkurt Mahallesi Kurtuluş Caddesi No: 50 önündeki kaldırımın onarılmasını arz ederim.
""", "name_missing", "address_missing", name="", address=""),
    bad("no signature, no date", "citizen", "petition", "Kaldırım", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Bozkurt Mahallesi Kurtuluş Caddesi No: 50 önündeki kaldırımın onarılmasını arz ederim.
""", "signature_missing", "date_missing", name="[ad soyad]", address="[adres]", signature=None, date=None),
    bad("organisation without anything", "organisation", "petition", "Stant", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Osmanbey Meydanı'nda stant açmamıza izin verilmesini arz ederiz.
""", "title_missing", "address_missing", "authorised_person_missing", "mandate_missing",
        name=None, address=None, authorised_person=None, mandate=None),
    bad("several subjects, numbered", "citizen", "petition", "Mahallenin sorunları", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Fulya Mahallesi'nde aşağıdaki işlerin yapılmasını arz ederim:
1. Parkın ağaçlarının budanması,
2. Emlak vergisi borcumun taksitlendirilmesi,
3. İş yeri açma ruhsatımın verilmesi.
""", "several_subjects"),
    bad("several subjects, ayrıca", "citizen", "petition", "Kaldırım ve vergi", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Fulya Mahallesi Ortaklar Caddesi No: 4 önündeki kaldırımın onarılmasını arz ederim. Ayrıca emlak vergisi borcumun
taksitlendirilmesini arz ederim.
""", "several_subjects"),
    bad("several subjects in one sentence", "citizen", "petition", "İstekler", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Fulya Mahallesi Ortaklar Caddesi'ndeki çocuk parkının yenilenmesini, sokak köpeklerinin aşılanmasını ve emlak vergisi
borcumun taksitlendirilmesini arz ederim.
""", "several_subjects"),
    bad("another matter", "mukhtar", "petition", "Muhtarlık", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Muhtarlığımızın önündeki çöp konteynerlerinin değiştirilmesini arz ederim. Bir diğer konu, tiyatro kursu açılması talebidir.
""", "several_subjects"),
    bad("divorce", "citizen", "petition", "Boşanma", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Eşimle anlaşamıyoruz. Boşanma işlemimin yapılmasını arz ederim.
""", "court_matter"),
    bad("inheritance", "citizen", "petition", "Miras", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Babamdan kalan evin miras paylaşımının belediyenizce yapılmasını arz ederim.
""", "court_matter"),
    bad("ruling to be lifted", "citizen", "petition", "Mahkeme kararı", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Aleyhime verilen mahkeme kararının kaldırılmasını saygılarımla arz ederim.
""", "court_matter"),
    bad("grant", "organisation", "petition", "Destek", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Derneğimizin faaliyetlerini sürdürebilmesi için maddi destek verilmesini arz ederiz.
""", "grant_request"),
    bad("rent of the association", "organisation", "petition", "Kira", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Dernek merkezimizin kira bedelinin ödenmesi konusunda gereğini arz ederiz.
""", "grant_request"),
    bad("grant within a proposal", "organisation", "partnership_proposal", "Atölye", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Çocuk atölyemiz için vakfımıza 250.000 TL ödenek aktarılmasını arz ederiz.
""", "grant_request"),
    bad("sponsor for a team", "other", "petition", "Turnuva", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Takımımızın katılacağı turnuva için sponsor olunmasını arz ederim.
""", "grant_request"),
    bad("identity number", "citizen", "petition", "Kaldırım", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

10000000146 T.C. kimlik numaralı başvuru sahibiyim. Bozkurt Mahallesi Kurtuluş Caddesi No: 50 önündeki kaldırımın
onarılmasını arz ederim.
""", "identity_number"),
    bad("account number", "citizen", "petition", "İade", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Fazla ödediğim ücretin TR33 0006 1005 1978 6457 8413 26 numaralı hesaba iadesi için gereğini arz ederim.
""", "account_number"),
    bad("phone of a neighbour", "citizen", "petition", "Gürültü", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Ergenekon Mahallesi Papa Roncalli Sokak No: 14'te üst komşum gece gürültü yapıyor, numarası 0532 000 00 00. Gürültünün
önlenmesini arz ederim.
""", "phone_of_others"),
    bad("health of a neighbour", "citizen", "petition", "Koku", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

İnönü Mahallesi Elmadağ Caddesi No: 3'te oturan komşum şizofreni hastası olduğu için çöplerini evde biriktiriyor. Evin
denetlenmesini arz ederim.
""", "health_of_others"),
    bad("petition that asks to know", "citizen", "petition", "İhale", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Park yenileme ihalesine ait bilgi ve belgelerin birer örneğinin verilmesini arz ederim.
""", "looks_like_information_request"),
    bad("petition that asks how much", "organisation", "petition", "Etkinlik harcaması", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Yaz şenliği için ne kadar harcama yapıldığının tarafımıza bildirilmesini arz ederiz.
""", "looks_like_information_request"),
    bad("information request that asks to act", "citizen", "information_request", "Çukur", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Esentepe Mahallesi Ecza Sokak No: 2 önündeki çukurun kapatılmasını ve yolun onarılmasını arz ederim.
""", "looks_like_petition"),
    bad("rica and talep together", "organisation", "petition", "Duyuru", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Seminerimizin belediye panolarında duyurulmasını talep ediyor, gereğini rica ediyoruz.
""", "rica_instead_of_arz"),
    bad("subject is rude too", "citizen", "petition", "Rezalet!", """
ŞİŞLİ BELEDİYE BAŞKANLIĞINA

Eskişehir Mahallesi Dolapdere Caddesi No: 30 önündeki çukurun kapatılmasını arz ederim.
""", "harsh_wording", "exclamation"),
]  # fmt: skip

TEXTS = [*CORRECT, *WANTING]
